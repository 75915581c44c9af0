/** Encoded words (RFC 2047): non-ASCII text in header fields, read leniently, written strictly. */

import { fromLatin1, utf8 } from '#base/bytes.ts';
import { decodeCharset, unicodeOf, withoutControls } from './charset.ts';
import { decodeBase64 } from './transfer.ts';

interface Word {
  readonly charset: string;
  readonly bytes: Uint8Array;
  readonly end: number;
}

const CHARSET_LENGTH = 64;
/** RFC 2047 2: an encoded word is at most 75 characters; `=?utf-8?q?` and `?=` take 12. */
const WORD_CHARACTERS = 75 - 12;
const QUESTION = 0x3f;

/**
 * Header text (octets as latin1, unfolded) to Unicode: encoded words decoded, also inside quoted
 * strings and next to other text, as mail really looks; white space between two of them goes, and
 * neighbours of one charset are joined before decoding, because senders split characters. What is
 * no encoded word stays. Never gives CR, LF or NUL. Linear time.
 */
export function decodeWords(raw: string): string {
  let next = raw.indexOf('=?');
  if (next === -1) return withoutControls(unicodeOf(raw));
  const pieces: string[] = [];
  const run = new WordRun(pieces);
  let done = 0;
  while (next !== -1) {
    const word = readWord(raw, next);
    if (word === 'none left') break;
    if (word === undefined) {
      next = raw.indexOf('=?', next + 2);
      continue;
    }
    const between = raw.slice(done, next);
    if (!run.open || !/^[ \t\r\n]*$/.test(between)) {
      run.flush();
      pieces.push(unicodeOf(between));
    }
    run.take(word);
    done = word.end;
    next = raw.indexOf('=?', done);
  }
  run.flush();
  pieces.push(unicodeOf(raw.slice(done)));
  return withoutControls(pieces.join(''));
}

/** Whether text must be written as encoded words: not printable ASCII, or looking like one. */
export function needsEncoding(text: string): boolean {
  return /[^\x20-\x7e]/.test(text) || text.includes('=?');
}

/**
 * Text as encoded words of at most 75 characters, one space between them; safe in a phrase
 * (RFC 2047 5 (3)). Characters are never split between words.
 */
export function encodeWords(text: string): string {
  const quoted = [...text].map(quotedCharacter);
  const length = quoted.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = utf8(text);
  // A little longer is worth it: people can read it in a log.
  if (length <= Math.ceil(bytes.length / 3) * 5 + 4) {
    return joinPieces(quoted, WORD_CHARACTERS, (body) => `=?utf-8?q?${body.join('')}?=`);
  }
  const octets = Math.floor(WORD_CHARACTERS / 4) * 3;
  return joinPieces([...text], octets, (body) => {
    return `=?utf-8?b?${Buffer.from(body.join('')).toString('base64')}?=`;
  });
}

/** Collects neighbouring words of one charset. */
class WordRun {
  readonly #out: string[];
  #charset = '';
  #bytes: Uint8Array[] = [];

  constructor(out: string[]) {
    this.#out = out;
  }

  get open(): boolean {
    return this.#bytes.length > 0;
  }

  take(word: Word): void {
    if (word.charset !== this.#charset) this.flush();
    this.#charset = word.charset;
    this.#bytes.push(word.bytes);
  }

  flush(): void {
    const [first] = this.#bytes;
    if (first === undefined) return;
    const bytes = this.#bytes.length === 1 ? first : Buffer.concat(this.#bytes);
    this.#out.push(decodeCharset(this.#charset, bytes));
    this.#bytes = [];
  }
}

/**
 * The encoded word at `at`, undefined if there is none there, `none left` if no `?=` follows at
 * all: told apart so that a million openings without an end do not search the text each time.
 */
function readWord(raw: string, at: number): Word | 'none left' | undefined {
  let mark = at + 2;
  const limit = Math.min(raw.length, mark + CHARSET_LENGTH);
  while (mark < limit && raw.charCodeAt(mark) > 0x20 && raw.charCodeAt(mark) !== QUESTION) mark++;
  if (raw.charCodeAt(mark) !== QUESTION || mark === at + 2) return undefined;
  if (raw.charCodeAt(mark + 2) !== QUESTION) return undefined;
  const encoding = raw.charCodeAt(mark + 1) | 0x20;
  if (encoding !== 0x62 && encoding !== 0x71) return undefined;
  const start = mark + 3;
  const stop = raw.indexOf('?=', start);
  if (stop === -1) return 'none left';
  const [charset = ''] = raw
    .slice(at + 2, mark)
    .toLowerCase()
    .split('*', 1);
  const body = raw.slice(start, stop);
  const bytes = encoding === 0x62 ? decodeBase64(fromLatin1(body)).bytes : decodeQ(body);
  return { charset, bytes, end: stop + 2 };
}

/** RFC 2047 4.2: `_` is a space, `=XX` an octet; damage stays as it is. */
function decodeQ(body: string): Uint8Array {
  const out = fromLatin1(body);
  let length = 0;
  for (let at = 0; at < body.length; at++) {
    const code = body.charCodeAt(at);
    const value = code === 0x3d ? hexPair(body, at + 1) : -1;
    if (value >= 0) at += 2;
    out[length++] = value >= 0 ? value : code === 0x5f ? 0x20 : code;
  }
  return out.subarray(0, length);
}

function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function quotedCharacter(character: string): string {
  if (character === ' ') return '_';
  if (/^[A-Za-z0-9!*+/-]$/.test(character)) return character;
  let out = '';
  for (const octet of utf8(character)) {
    out += `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

function joinPieces(
  pieces: readonly string[],
  limit: number,
  word: (body: readonly string[]) => string,
): string {
  const words: string[] = [];
  let body: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    const size = Buffer.byteLength(piece);
    if (length + size > limit) {
      words.push(word(body));
      body = [];
      length = 0;
    }
    body.push(piece);
    length += size;
  }
  if (body.length > 0) words.push(word(body));
  return words.join(' ');
}
