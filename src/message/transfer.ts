/** Content transfer encodings (RFC 2045 6): octets to octets, whatever the damage. */

import { asBuffer, fromLatin1 } from '#base/bytes.ts';

export interface Decoded {
  readonly bytes: Uint8Array;
  /** Something was no base64 or no quoted-printable: skipped, or kept as it was. */
  readonly damaged: boolean;
}

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;
const LINE_CHARACTERS = 76;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const SIX_BITS = Int8Array.from({ length: 256 }, (_, octet) =>
  ALPHABET.indexOf(String.fromCharCode(octet)),
);
const HEX = Int8Array.from({ length: 256 }, (_, octet) => {
  const at = '0123456789abcdef'.indexOf(String.fromCharCode(octet).toLowerCase());
  return at;
});

/** Decodes by name (any case); 7bit, 8bit, binary and what is unknown stay as they are. */
export function decodeTransfer(encoding: string, bytes: Uint8Array): Decoded {
  const name = encoding.toLowerCase();
  if (name === 'base64') return decodeBase64(bytes);
  if (name === 'quoted-printable') return decodeQuotedPrintable(bytes);
  return { bytes, damaged: false };
}

/**
 * Base64 (RFC 2045 6.8): other characters are skipped, padding ends a group and not the data
 * (joined attachments really look like that), a lone last character is dropped.
 */
export function decodeBase64(bytes: Uint8Array): Decoded {
  const out = Buffer.allocUnsafe(Math.floor((bytes.length * 3) / 4) + 3);
  let length = 0;
  let group = 0;
  let bits = 0;
  let damaged = false;
  for (const octet of bytes) {
    const value = SIX_BITS[octet] ?? -1;
    if (value >= 0) {
      group = ((group << 6) | value) & 0xffffff;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        out[length++] = (group >> bits) & 0xff;
      }
    } else if (octet === EQUALS) {
      if (bits === 6) damaged = true;
      bits = 0;
    } else if (octet !== CR && octet !== LF && octet !== SPACE && octet !== TAB) damaged = true;
  }
  return { bytes: out.subarray(0, length), damaged: damaged || bits === 6 };
}

/**
 * Quoted-printable (RFC 2045 6.7): white space at line ends goes, soft breaks go, `=` before
 * anything else stays as it is.
 */
export function decodeQuotedPrintable(bytes: Uint8Array): Decoded {
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  /** Up to here octets stay when the line ends: literal white space after it does not. */
  let kept = 0;
  let damaged = false;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at] ?? 0;
    if (octet === EQUALS) {
      const high = HEX[bytes[at + 1] ?? 0] ?? -1;
      const low = HEX[bytes[at + 2] ?? 0] ?? -1;
      const after = high >= 0 && low >= 0 ? -1 : endOfSoftBreak(bytes, at + 1);
      if (high >= 0 && low >= 0) {
        out[length++] = (high << 4) | low;
        at += 2;
      } else if (after > 0) at = after - 1;
      else {
        out[length++] = octet;
        damaged = true;
      }
      kept = length;
    } else if (octet === SPACE || octet === TAB) out[length++] = octet;
    else {
      if (octet === LF || (octet === CR && bytes[at + 1] === LF)) length = kept;
      out[length++] = octet;
      kept = length;
    }
  }
  return { bytes: out.subarray(0, kept), damaged };
}

/** Base64 in lines of 76 characters, each ended by CRLF. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  const text = asBuffer(bytes).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += LINE_CHARACTERS) {
    lines.push(text.slice(at, at + LINE_CHARACTERS), '\r\n');
  }
  return fromLatin1(lines.join(''));
}

/**
 * Quoted-printable in lines of at most 76 characters. CRLF is a line end and stays; any other CR
 * or LF is encoded, and so are white space before a line end, and `.` and `F` that begin a line
 * (they would meet dot-stuffing and mbox' `From `).
 */
export function encodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const pieces: string[] = [];
  let column = 0;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at] ?? 0;
    if (octet === CR && bytes[at + 1] === LF) {
      pieces.push('\r\n');
      column = 0;
      at++;
      continue;
    }
    const last = at + 1 === bytes.length || (bytes[at + 1] === CR && bytes[at + 2] === LF);
    let piece = quotedOctet(octet, column === 0, last);
    if (column + piece.length > LINE_CHARACTERS - (last ? 0 : 1)) {
      pieces.push('=\r\n');
      column = 0;
      piece = quotedOctet(octet, true, last);
    }
    pieces.push(piece);
    column += piece.length;
  }
  return fromLatin1(pieces.join(''));
}

function quotedOctet(octet: number, first: boolean, last: boolean): string {
  const blank = octet === SPACE || octet === TAB;
  const plain = blank ? !last : octet > SPACE && octet < 0x7f && octet !== EQUALS;
  const risky = first && (octet === 0x2e || octet === 0x46);
  if (plain && !risky) return String.fromCharCode(octet);
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** After `=`: white space and a line end, or the end of all; where it ends, or -1. */
function endOfSoftBreak(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  if (at === bytes.length) return at;
  if (bytes[at] === CR && bytes[at + 1] === LF) return at + 2;
  return bytes[at] === LF ? at + 1 : -1;
}
