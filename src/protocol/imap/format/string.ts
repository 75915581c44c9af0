/** IMAP strings on the wire: quoted where that is safe, a literal otherwise (RFC 3501 4.3). */

const QUOTED_OCTETS = 1000;
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const QUOTABLE = /^[\x20-\x7e]*$/;
const ATOM = /^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~]+$/;

/**
 * Text of 7-bit octets as a quoted string; a literal when it is long or holds CR, LF or another
 * control character. NUL, which no string may hold (RFC 3501 9 `CHAR8`), becomes a space, and
 * what is not ASCII becomes `?`: callers encode such text before (see encoded-word.ts).
 */
export function formatString(text: string): string {
  if (text.length <= QUOTED_OCTETS) {
    if (PLAIN.test(text)) return `"${text}"`;
    if (QUOTABLE.test(text)) return `"${text.replace(/[\\"]/g, '\\$&')}"`;
  }
  const octets = text.replace(/\0/g, ' ').replace(/[^\x00-\x7f]/gu, '?');
  return `{${octets.length}}\r\n${octets}`;
}

/** `formatString`, or NIL for undefined. */
export function formatNString(text: string | undefined): string {
  return text === undefined ? 'NIL' : formatString(text);
}

/** An atom where the text is one (and could not be read as NIL), else a string. */
export function formatAString(text: string): string {
  return ATOM.test(text) && text.toUpperCase() !== 'NIL' ? text : formatString(text);
}
