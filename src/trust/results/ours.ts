/** Which Authentication-Results claim to be ours: those of strangers are forged and go (RFC 8601 5). */

import { concat, latin1 } from '#base/bytes.ts';
import { parseDomain } from '#base/domain.ts';
import { type Field, type Head, allFields, readHead, trimBlanks } from '#message/fields.ts';
import { decodeWords } from '#message/words.ts';
import { oddLines } from '#trust/odd-lines.ts';

/**
 * Whether the value of a field might pass for one of ours, to anybody who reads it in whatever
 * sloppy way: any case, comments anywhere, versions, quotes, backslashes, blanks, encoded words,
 * a trailing dot, U-labels. A value without an id passes for everybody's. `value` unfolded, octets
 * as latin1, as a Field has it. Only its first 10,000 characters are looked at: an id that is not
 * there by then passes for everybody's, too.
 */
export function isOurs(value: string, ours: readonly string[]): boolean {
  const wanted = new Set(ours.map(normal));
  const start = value.slice(0, LOOKED_AT);
  for (const text of new Set([start, decodeWords(start)])) {
    // A comment may stand between two words, or part one name in two.
    for (const gap of text.includes('(') ? [' ', ''] : [' ']) {
      const { head, ended } = headOf(text, gap);
      if (!ended && start.length < value.length) return true;
      const bare = head.replace(/["\\\x00-\x08\x0a-\x1f\x7f]/g, '').trim();
      if (bare === '') return true;
      const words = [bare.replace(/[\s()]/g, ''), ...bare.split(NO_NAME, WORDS)];
      if (words.some((word) => isOne(word, wanted))) return true;
    }
  }
  return false;
}

/** With dots in front, or with a version behind that nothing parts from it. */
function isOne(word: string, wanted: ReadonlySet<string>): boolean {
  const name = word.replace(/^\.+/, '');
  if (wanted.has(normal(name))) return true;
  const bare = name.replace(/\/?\d{1,9}$/, '');
  return bare !== name && wanted.has(normal(bare));
}

const LOOKED_AT = 10_000;
/** Words before the first semicolon; an id and a version are two. */
const WORDS = 4;
/** Fields that are looked at: a message passes some ten hosts, and each look costs time. */
const FIELDS = 100;
/** What needs no more than lower case. */
const PLAIN = /^[A-Za-z0-9_.-]*$/;
/** ASCII that stands in no host's name. */
const NO_NAME = /[\s!-,/:-@[-^`{-~]+/;
/** What claims to be ours: where it lies in the head, and its value, unfolded. */
export type Forged = Pick<Field, 'start' | 'end' | 'value'>;

/**
 * The fields of a stranger's message that claim to be ours, and the lines that are no such field
 * but may be read as one; in the order of the head. All after the hundredth go unread.
 */
export function forgedResults(
  octets: Uint8Array,
  ours: readonly string[],
  head: Head = readHead(octets),
): readonly Forged[] {
  const fields = allFields(head, NAME);
  const listed = new Set(fields.map(({ start }) => start));
  const odd = oddLines(latin1(octets.subarray(0, head.headBytes)), NAME)
    .filter(({ start }) => !listed.has(start))
    .map(({ start, end, raw }) => ({ start, end, value: trimBlanks(raw.replace(/\r?\n/g, '')) }));
  return [...fields, ...odd]
    .toSorted((a, b) => a.start - b.start)
    .filter(({ value }, at) => at >= FIELDS || isOurs(value, ours));
}

const NAME = 'authentication-results';

/** A head without the fields that claim to be ours, and what they said; no other octet changes. */
export function removeForged(
  octets: Uint8Array,
  ours: readonly string[],
  head: Head = readHead(octets),
): { readonly head: Uint8Array; readonly removed: readonly Forged[] } {
  const removed = forgedResults(octets, ours, head);
  if (removed.length === 0) return { head: octets, removed };
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { start, end } of removed) {
    pieces.push(octets.subarray(from, start));
    from = end;
  }
  pieces.push(octets.subarray(from));
  return { head: concat(pieces), removed };
}

/** Up to the first semicolon outside of comments, each comment a gap; one without end, too. */
function headOf(text: string, gap: string): { readonly head: string; readonly ended: boolean } {
  let head = '';
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === ';' && depth === 0) return { head: head + text.slice(from, at), ended: true };
    if (character === '\\') at++;
    else if (character === '(') {
      if (depth === 0) head += text.slice(from, at) + gap;
      depth++;
    } else if (character === ')' && depth > 0) {
      depth--;
      from = at + 1;
    }
  }
  return { head: depth === 0 ? head + text.slice(from) : head, ended: false };
}

function normal(id: string): string {
  if (PLAIN.test(id)) return id.toLowerCase().replace(/\.+$/, '');
  return parseDomain(id) ?? id.normalize('NFKC').toLowerCase().replace(/\.+$/, '');
}
