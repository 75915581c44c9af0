/** Which Authentication-Results claim to be ours: those of strangers are forged and go (RFC 8601 5). */

import { concat } from '#base/bytes.ts';
import { parseDomain } from '#base/domain.ts';
import { type Field, type Head, allFields, readHead } from '#message/fields.ts';
import { decodeWords } from '#message/words.ts';

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
  for (const text of [start, decodeWords(start)]) {
    const { head, ended } = headOf(text);
    if (!ended && start.length < value.length) return true;
    const bare = head.replace(/["\\\x00-\x08\x0a-\x1f\x7f]/g, '').trim();
    if (bare === '') return true;
    const [word = ''] = bare.split(/[\s/,=()]/, 1);
    const joined = bare.replace(/[\s()]/g, '');
    const named = [word, joined, joined.replace(/\/?\d{1,9}$/, '')];
    if (named.some((name) => wanted.has(normal(name)))) return true;
  }
  return false;
}

const LOOKED_AT = 10_000;

/** The fields of a stranger's message that claim to be ours. */
export function forgedResults(head: Head, ours: readonly string[]): readonly Field[] {
  return allFields(head, 'authentication-results').filter(({ value }) => isOurs(value, ours));
}

/** A head without the fields that claim to be ours, and what they said; no other octet changes. */
export function removeForged(
  octets: Uint8Array,
  ours: readonly string[],
  head: Head = readHead(octets),
): { readonly head: Uint8Array; readonly removed: readonly Field[] } {
  const removed = forgedResults(head, ours);
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

/** Up to the first semicolon outside of comments, each comment a blank; one without end, too. */
function headOf(text: string): { readonly head: string; readonly ended: boolean } {
  let head = '';
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === ';' && depth === 0) return { head: head + text.slice(from, at), ended: true };
    if (character === '\\') at++;
    else if (character === '(') {
      if (depth === 0) head += `${text.slice(from, at)} `;
      depth++;
    } else if (character === ')' && depth > 0) {
      depth--;
      from = at + 1;
    }
  }
  return { head: depth === 0 ? head + text.slice(from) : head, ended: false };
}

function normal(id: string): string {
  return parseDomain(id) ?? id.normalize('NFKC').toLowerCase().replace(/\.+$/, '');
}
