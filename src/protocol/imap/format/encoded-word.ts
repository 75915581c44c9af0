/** Unicode text as RFC 2047 encoded words, so that no raw 8-bit octet reaches an IMAP client. */

import { asBuffer, fromLatin1, parseUtf8, utf8 } from '#base/bytes.ts';

/** Octets of text in one word: 75 less `=?windows-1252?B?` and `?=`, as base64 of threes. */
const WORD_OCTETS = 39;
const Q_PLAIN = /[A-Za-z0-9!*+/-]/;
/** Each octet as Q writes it (RFC 2047 4.2), safe in a phrase too. */
const Q_OCTETS: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  if (octet === 0x20) return '_';
  const character = String.fromCharCode(octet);
  if (Q_PLAIN.test(character)) return character;
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
});
/** How long those are: most text in need of encoding is not written in Q. */
const Q_LENGTHS = Uint8Array.from(Q_OCTETS, (text) => text.length);
const EIGHT_BIT = /[^\x00-\x7f]/;
const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * Decoded text for a place where clients decode encoded words (RFC 2047 5): printable ASCII
 * stays, unless it would itself be read as an encoded word; the rest becomes UTF-8 words.
 * Control characters become spaces first: a decoded name must not smuggle in a line break.
 */
export function encodeWords(text: string): string {
  const clean = text.replace(/[\x00-\x1f\x7f]+/g, ' ');
  if (PRINTABLE.test(clean) && !clean.includes('=?')) return clean;
  const octets = utf8(clean.toWellFormed());
  const words: string[] = [];
  for (let at = 0; at < octets.length;) {
    const end = endOfWord(octets, at);
    words.push(word('utf-8', octets.subarray(at, end)));
    at = end;
  }
  return words.join(' ');
}

/** As many whole characters as one word holds: a continuation octet begins none. */
function endOfWord(octets: Uint8Array, from: number): number {
  let end = from + WORD_OCTETS;
  if (end >= octets.length) return octets.length;
  while (((octets[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}

/**
 * A field's text as it was written, octets as latin1, encoded words not decoded: raw 8-bit text
 * is encoded as UTF-8 if it is that, else as windows-1252, which keeps every octet.
 */
export function encodeRawText(raw: string): string {
  if (!EIGHT_BIT.test(raw)) return raw;
  const tokens = raw.split(/([ \t]+)/);
  let text = '';
  // Readers drop the space between two encoded words, so it goes inside one of them.
  for (let at = 0; at < tokens.length; at += 2) {
    const token = tokens[at] ?? '';
    if (!EIGHT_BIT.test(token)) {
      text += token + (tokens[at + 1] ?? '');
      continue;
    }
    const before = at > 0 && isEncodedWord(tokens[at - 2] ?? '') ? (tokens[at - 1] ?? '') : '';
    let run = before + token;
    let after = tokens[at + 1] ?? '';
    while (EIGHT_BIT.test(tokens[at + 2] ?? '') || isEncodedWord(tokens[at + 2] ?? '')) {
      run += after;
      after = '';
      if (isEncodedWord(tokens[at + 2] ?? '')) {
        after = ' ';
        break;
      }
      at += 2;
      run += tokens[at] ?? '';
      after = tokens[at + 1] ?? '';
    }
    text += encodePiece(run) + after;
  }
  return text;
}

function isEncodedWord(token: string): boolean {
  return token.startsWith('=?') && token.endsWith('?=') && !EIGHT_BIT.test(token);
}

function encodePiece(piece: string): string {
  const octets = fromLatin1(piece);
  const text = parseUtf8(octets);
  if (text !== undefined) return encodeWords(text);
  const words: string[] = [];
  for (let at = 0; at < octets.length; at += WORD_OCTETS) {
    words.push(word('windows-1252', octets.subarray(at, at + WORD_OCTETS)));
  }
  return words.join(' ');
}

/** The shorter of Q and B (RFC 2047 4), where Q still fits into 75 characters. */
function word(charset: string, octets: Uint8Array): string {
  let length = 0;
  for (let at = 0; at < octets.length; at++) length += Q_LENGTHS[octets[at] ?? 0] ?? 0;
  const short = length <= Math.ceil(octets.length / 3) * 4 && length + charset.length <= 68;
  if (!short) return `=?${charset}?B?${asBuffer(octets).toString('base64')}?=`;
  let q = '';
  for (const octet of octets) q += Q_OCTETS[octet] ?? '';
  return `=?${charset}?Q?${q}?=`;
}
