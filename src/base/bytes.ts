/** Octets: making, joining, searching and showing them, without a copy where none is needed. */

export const CR = 0x0d;
export const LF = 0x0a;
export const NO_BYTES: Uint8Array = new Uint8Array(0);

const encoder = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text to UTF-8 octets. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Octets as text if they are well-formed UTF-8 (RFC 3629), else undefined. */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Each octet as the character of the same number: never loses anything, never fails. */
export function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}

/** The reverse of `latin1`; characters above 255 lose their high bits. */
export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One piece from many; a single piece is returned as it is. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

/**
 * Gives the memory below octets back at once, if nothing else lies in it; they are empty afterwards.
 * Each read from a socket brings 64 KiB, and whenever 64 MiB of them have come together V8 looks
 * through the whole heap to find out which of them are still wanted.
 */
export function letGo(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (isAllOf(buffer, bytes)) buffer.transfer(0);
}

/** So few are not worth a copy. */
const CUT_BYTES = 4_096;

/**
 * A part of octets of which nothing else is wanted any more: in memory of its own, and theirs is given
 * back as `letGo` does, so nobody may have another view of it. Small parts, and those of memory in
 * which other things lie, stay where they are.
 */
export function cutOut(bytes: Uint8Array, from: number, to: number): Uint8Array {
  if (to - from === bytes.length) return bytes;
  const part = bytes.subarray(from, to);
  if (part.length < CUT_BYTES || !isAllOf(bytes.buffer, bytes)) return part;
  const copy = new Uint8Array(part);
  letGo(bytes);
  return copy;
}

function isAllOf(buffer: ArrayBufferLike, bytes: Uint8Array): buffer is ArrayBuffer {
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length;
}

/**
 * What is known already of octets that are passed on: `from` to `to` are `count` whole lines, each
 * with its CRLF and at most `PLAIN_LINE_BYTES` before it, without any other CR or LF; none begins
 * with a dash, so none is a delimiter of MIME.
 */
export interface PlainLines {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Octets that a line may have, its CRLF not counted. */
export const PLAIN_LINE_BYTES = 998;

/** Equal octets; takes the same time wherever they differ is NOT promised: see node:crypto. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && asBuffer(a).equals(b);
}

/** The memory below octets as whole words, for `endOfPlain`: made once for many searches. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
}

/**
 * The first index in [from, to) whose octet is CR, LF or NUL, else `to`. Four octets at a time:
 * a third of what octet by octet costs, and every octet of every message comes by here.
 */
export function endOfPlain(bytes: Uint8Array, words: Int32Array, from: number, to: number): number {
  let at = from;
  while (at < to) {
    if (((bytes.byteOffset + at) & 3) === 0) {
      at = endOfHighWords(bytes, words, at, to);
      if (at >= to) return to;
    }
    const octet = bytes[at] ?? 0;
    if (octet <= CR && (octet === CR || octet === LF || octet === 0)) return at;
    at += 1;
  }
  return to;
}

/** Skips words whose octets are all above CR; exact, see "Bit Twiddling Hacks", hasless(x, n). */
function endOfHighWords(bytes: Uint8Array, words: Int32Array, from: number, to: number): number {
  let word = (bytes.byteOffset + from) >> 2;
  const end = word + ((to - from) >> 2);
  while (word < end) {
    const four = words[word] ?? 0;
    if (((four - 0x0e0e0e0e) & ~four & 0x80808080) !== 0) break;
    word += 1;
  }
  return (word << 2) - bytes.byteOffset;
}

/** Octets for people: printable ASCII as it is, the rest as \r \n \t \xNN, at most `max` shown. */
export function visible(bytes: Uint8Array | string, max = 200): string {
  const text = typeof bytes === 'string' ? bytes : latin1(bytes.subarray(0, max + 1));
  const shown = text.slice(0, max).replace(/[^\x20-\x5b\x5d-\x7e]/g, escapeCharacter);
  return text.length > max ? `${shown}...` : shown;
}

const NAMED: Readonly<Record<string, string>> = {
  '\r': '\\r',
  '\n': '\\n',
  '\t': '\\t',
  '\\': '\\\\',
};

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED[character] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
