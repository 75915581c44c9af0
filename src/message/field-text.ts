/** Fields as we write them: folded, encoded, and never more than one field, whatever is put in. */

import { parseAddress } from '#base/address.ts';
import { invariant } from '#base/failure.ts';
import type { Brand } from '#base/brand.ts';
import { encodeWords, needsEncoding } from './words.ts';

/** One whole field, `Name: value` with its CRLF: only the functions of this file make one. */
export type FieldText = Brand<string, 'FieldText'>;

/** A mailbox to be written; `address` as it stands in an envelope, without brackets. */
export interface WrittenMailbox {
  readonly name?: string | undefined;
  readonly address: string;
}

const FOLD_COLUMNS = 78;
/** Below the limit of 998 octets, so that a field name and a fold fit too. */
const HARD_COLUMNS = 900;
const LINE_OCTETS = 998;
const NAME = /^[!-9;-~]{1,76}$/;
/** A whole field: its name, and lines that are not blank (RFC 5322 2.2.3). */
const SOUND = /^[!-9;-~]{1,76}:[^\0\r\n]*(?:\r\n[ \t]+[^ \t\0\r\n][^\0\r\n]*)*\r\n$/;

/**
 * A field of free text (Subject, Comments …): non-ASCII text becomes encoded words (RFC 2047), or
 * stays as UTF-8 where `utf8` says that the message travels by SMTPUTF8 (RFC 6532). CR, LF and
 * NUL become blanks. Lines fold at 78 columns and never pass 998 octets.
 */
export function formatText(
  name: string,
  value: string,
  options: { readonly utf8?: boolean } = {},
): FieldText {
  const words = cleanLine(value).split(' ');
  const awkward = (word: string) =>
    word.length > HARD_COLUMNS / 4 || (options.utf8 === true ? false : needsEncoding(word));
  const first = words.findIndex(awkward);
  if (first === -1) return fold(name, words);
  const last = words.findLastIndex(awkward);
  const encoded = encodeWords(words.slice(first, last + 1).join(' ')).split(' ');
  // An encoded word must not meet plain text that looks like one: they stand apart by a blank.
  return fold(name, [...words.slice(0, first), ...encoded, ...words.slice(last + 1)]);
}

/**
 * A field whose value already has its grammar (Received, Message-ID, Content-Type …): folded at
 * blanks only. Control characters become blanks; characters beyond ASCII stay only with `utf8`.
 */
export function formatStructured(
  name: string,
  value: string,
  options: { readonly utf8?: boolean } = {},
): FieldText {
  const line = cleanLine(value);
  const safe = options.utf8 === true ? line : line.replace(/[^\x20-\x7e]/g, '?');
  return fold(name, safe.split(' '));
}

/** An address field; display names are quoted or encoded as they need, addresses left alone. */
export function formatMailboxes(
  name: string,
  mailboxes: readonly WrittenMailbox[],
  options: { readonly utf8?: boolean } = {},
): FieldText {
  const list = mailboxes.map((mailbox) => formatMailbox(mailbox, options.utf8 === true));
  return formatStructured(name, list.join(', '), options);
}

/** `Name <address>`, or the bare address where there is no name. */
export function formatMailbox({ name, address }: WrittenMailbox, keepUtf8 = false): string {
  // What is no address must at least not become two, or a group.
  const clean =
    parseAddress(address) === undefined
      ? address.replace(/[\x00-\x20\x7f<>(),:;"\\]/g, '')
      : address;
  if (name === undefined || name.trim() === '') return clean;
  return `${formatPhrase(name, keepUtf8)} <${clean}>`;
}

/** A display name as a phrase: atoms, a quoted string or encoded words (RFC 2047 5 (3)). */
export function formatPhrase(name: string, keepUtf8 = false): string {
  const text = cleanLine(name).trim();
  if (/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(text)) {
    return text.includes('=?') ? encodeWords(text) : text;
  }
  const plain = keepUtf8 ? !text.includes('=?') : !needsEncoding(text);
  return plain && text.length < HARD_COLUMNS / 4
    ? `"${text.replace(/[\\"]/g, '\\$&')}"`
    : encodeWords(text);
}

/**
 * Text that someone else wrote as one field (a signer, for example), taken as it is, if it is
 * exactly one: a name, a colon, lines of at most 998 octets that go on with white space. Undefined
 * for anything else; a missing CRLF at the end is added.
 */
export function acceptField(text: string): FieldText | undefined {
  const whole = text.endsWith('\r\n') ? text : `${text}\r\n`;
  // No line can be too long, whatever its characters take.
  if (whole.length * 3 <= LINE_OCTETS && SOUND.test(whole)) return whole as FieldText;
  const colon = whole.indexOf(':');
  if (colon === -1 || !NAME.test(whole.slice(0, colon))) return undefined;
  const lines = whole.slice(0, -2).split('\r\n');
  const sound = lines.every((line, at) => {
    const begins = at === 0 || /^[ \t]+[^ \t]/.test(line);
    const fits = line.length * 3 <= LINE_OCTETS || Buffer.byteLength(line) <= LINE_OCTETS;
    return begins && fits && !/[\0\r\n]/.test(line);
  });
  return sound ? (whole as FieldText) : undefined;
}

/** One line without control characters and lone surrogates, single blanks only. */
function cleanLine(value: string): string {
  const text = value.isWellFormed() ? value : value.toWellFormed();
  return text
    .replace(/[\x00-\x1f\x7f\u0085\u2028\u2029]+/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** Words into lines; a word too long for any line is cut, so that 998 octets are never passed. */
function fold(name: string, words: readonly string[]): FieldText {
  invariant(NAME.test(name), `a field name is printable ASCII: ${name.slice(0, 80)}`);
  const lines: string[] = [];
  let line = `${name}:`;
  let column = line.length;
  let bare = true;
  for (const word of words) {
    for (const piece of word.length > HARD_COLUMNS / 4 ? cut(word) : [word]) {
      const width = piece.length + 1;
      // The first word stays beside the name: some readers take a name alone for an empty field.
      if (column + width > FOLD_COLUMNS && !bare) {
        lines.push(line);
        line = '';
        column = 0;
      }
      line += ` ${piece}`;
      column += width;
      bare = false;
    }
  }
  lines.push(line);
  return `${lines.join('\r\n')}\r\n` as FieldText;
}

/** 225 characters are at most 900 octets of UTF-8. */
function cut(word: string): string[] {
  if (word.length <= HARD_COLUMNS && /^[\x00-\x7f]*$/.test(word)) return [word];
  const pieces: string[] = [];
  let piece = '';
  for (const character of word) {
    piece += character;
    if (piece.length >= HARD_COLUMNS / 4) {
      pieces.push(piece);
      piece = '';
    }
  }
  if (piece !== '') pieces.push(piece);
  return pieces;
}
