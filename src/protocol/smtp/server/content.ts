/** Content as it arrives: where it ends, what of it is the message, and what must not be in it. */

import { CR, LF, NO_BYTES, PLAIN_LINE_BYTES, endOfPlain, wordsOf } from '#base/bytes.ts';
import type { PlainLines } from '#base/bytes.ts';

export type ContentFault = 'bare-cr' | 'bare-lf' | 'nul' | 'line-too-long';

export interface Taken {
  /** Octets of the input that were used; the rest is not content. */
  readonly used: number;
  /** The message's octets among them; slices of the input where nothing had to be cut out. */
  readonly pieces: readonly Uint8Array[];
  /** Lines among those of the only piece: whoever reads its structure need not look again. */
  readonly lines?: PlainLines | undefined;
  /** The end was found. */
  readonly done: boolean;
  /** Why the message is refused; its rest is then thrown away by `discard`. */
  readonly fault?: ContentFault;
}

export interface Discarded {
  readonly used: number;
  readonly done: boolean;
  /** The last octets look like an end of data to lenient eyes: the client may be waiting. */
  readonly doubtful: boolean;
}

/** One run of content: DATA's, or one chunk of BDAT. Any chunking gives the same octets. */
export interface Content {
  /** Octets left when that is announced; undefined: ended by a mark. */
  readonly remaining: number | undefined;
  /** Whether it ends the message. */
  readonly last: boolean;
  take(bytes: Uint8Array): Taken;
  /** Throws octets away up to the end; how many of `bytes` belong to it, and whether it ended. */
  discard(bytes: Uint8Array): Discarded;
  /** A fault that shows only at the end. */
  finalFault(): ContentFault | undefined;
}

const DOT = 0x2e;
const DASH = 0x2d;
const NOTHING: readonly Uint8Array[] = [];

/** Where the last octet left us. `dot` and `dot-cr` follow a line's start. */
type Position = 'start' | 'middle' | 'cr' | 'dot' | 'dot-cr';

/**
 * Content after DATA: only CRLF.CRLF ends it, and a CR or LF alone is refused, so that no two
 * servers can disagree about where it ended (SMTP smuggling, CVE-2023-51764). NUL is refused
 * because servers exist that drop it and then see another end (RFC 5321 2.3.8, 4.1.1.4).
 */
export class DataContent implements Content {
  readonly remaining = undefined;
  readonly last = true;
  readonly #lineBytes: number;
  #position: Position = 'start';
  #lineLength = 0;
  /** The first run of plain lines in the octets at hand. */
  #plainLines: PlainLines | undefined;
  #discarding = false;
  #looseLineStart = false;
  #looseDot = false;
  #looseEnd = false;

  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes;
  }

  take(bytes: Uint8Array): Taken {
    this.#plainLines = undefined;
    const taken = this.#take(bytes);
    return { ...taken, lines: linesIn(bytes, taken.pieces, this.#plainLines) };
  }

  #take(bytes: Uint8Array): Taken {
    const pieces: Uint8Array[] = [];
    const words = wordsOf(bytes);
    let from = 0;
    let index = 0;
    const stop = (done: boolean, fault?: ContentFault): Taken => {
      const used = fault === undefined ? Math.min(index + 1, bytes.length) : index;
      if (fault !== undefined && index > from) pieces.push(bytes.subarray(from, index));
      return fault === undefined ? { used, pieces, done } : { used, pieces, done, fault };
    };
    for (; index < bytes.length; index++) {
      const octet = bytes[index] ?? 0;
      switch (this.#position) {
        case 'middle': {
          index = this.#lines(bytes, words, index);
          const found = bytes[index];
          if (found === undefined) break;
          if (this.#lineLength > this.#lineBytes) return stop(false, 'line-too-long');
          if (found === LF) return stop(false, 'bare-lf');
          if (found === 0) return stop(false, 'nul');
          this.#position = 'cr';
          break;
        }
        case 'cr':
          if (octet !== LF) return stop(false, 'bare-cr');
          this.#position = 'start';
          break;
        case 'start':
          this.#lineLength = 0;
          if (octet === DOT) {
            if (index > from) pieces.push(bytes.subarray(from, index));
            from = index + 1;
            this.#position = 'dot';
          } else {
            this.#position = 'middle';
            index -= 1;
          }
          break;
        case 'dot':
          if (octet === CR) {
            this.#position = 'dot-cr';
            from = index + 1;
          } else if (octet === LF) {
            from = index;
            return stop(false, 'bare-lf');
          } else {
            this.#position = 'middle';
            index -= 1;
          }
          break;
        case 'dot-cr':
          if (octet !== LF) {
            from = index;
            return stop(false, 'bare-cr');
          }
          return stop(true);
      }
    }
    if (from < bytes.length) pieces.push(from === 0 ? bytes : bytes.subarray(from));
    return { used: bytes.length, pieces, done: false };
  }

  /** Passes ordinary lines: each ends in CRLF, and what follows is there and begins no dot line. */
  #lines(bytes: Uint8Array, words: Int32Array, index: number): number {
    const last = bytes.length - 2;
    let at = this.#plain(bytes, words, index);
    let [start, from, to, count] = [0, 0, 0, 0];
    let wanted = this.#plainLines === undefined;
    while (at < last && bytes[at] === CR && bytes[at + 1] === LF && bytes[at + 2] !== DOT) {
      if (this.#lineLength > this.#lineBytes) break;
      if (wanted && start > 0) {
        if (bytes[start] !== DASH && this.#lineLength <= PLAIN_LINE_BYTES) {
          if (count === 0) from = start;
          count += 1;
          to = at + 2;
        } else {
          wanted = count === 0;
        }
      }
      this.#lineLength = 0;
      start = at + 2;
      at = this.#plain(bytes, words, start);
    }
    if (count > 0) this.#plainLines = { from, to, count };
    return at;
  }

  /** The first octet from `index` that is CR, LF, NUL or beyond the line's limit. */
  #plain(bytes: Uint8Array, words: Int32Array, index: number): number {
    const room = this.#lineBytes - this.#lineLength;
    const end = Math.min(bytes.length, index + room);
    const at = endOfPlain(bytes, words, index, end);
    this.#lineLength += at - index;
    const octet = bytes[at];
    const ordinary = octet !== undefined && octet !== CR && octet !== LF && octet !== 0;
    if (at === end && ordinary) this.#lineLength = this.#lineBytes + 1;
    return at;
  }

  /** Strict about the end, and attentive to what a lenient client takes for one. */
  discard(bytes: Uint8Array): Discarded {
    if (!this.#discarding) {
      this.#discarding = true;
      this.#looseDot = this.#position === 'dot';
      this.#looseLineStart = this.#position !== 'dot' && this.#position !== 'middle';
    }
    for (let index = 0; index < bytes.length; index++) {
      const octet = bytes[index] ?? 0;
      this.#watch(octet);
      if (octet === LF && this.#position === 'dot-cr') {
        return { used: index + 1, done: true, doubtful: false };
      }
      if (octet === CR) this.#position = this.#position === 'dot' ? 'dot-cr' : 'cr';
      else if (octet === LF) this.#position = this.#position === 'cr' ? 'start' : 'middle';
      else if (octet === DOT && this.#position === 'start') this.#position = 'dot';
      else this.#position = 'middle';
    }
    return { used: bytes.length, done: false, doubtful: this.#looseEnd };
  }

  finalFault(): undefined {
    return undefined;
  }

  #watch(octet: number): void {
    const lineEnd = octet === CR || octet === LF;
    this.#looseEnd = lineEnd && (this.#looseDot || this.#looseEnd);
    this.#looseDot = this.#looseLineStart && octet === DOT;
    this.#looseLineStart = lineEnd;
  }
}

/** The rule about line ends for chunks, whose end is announced: it goes on across chunks. */
export class TextCheck {
  readonly #lineBytes: number;
  #afterCr = false;
  #lineLength = 0;

  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes;
  }

  /** The first fault, and before which octet. */
  look(bytes: Uint8Array): { readonly at: number; readonly fault: ContentFault } | undefined {
    const words = wordsOf(bytes);
    let at = 0;
    while (at < bytes.length) {
      if (this.#afterCr) {
        if (bytes[at] !== LF) return { at, fault: 'bare-cr' };
        this.#afterCr = false;
        this.#lineLength = 0;
        at += 1;
      }
      const end = Math.min(bytes.length, at + this.#lineBytes - this.#lineLength);
      const found = endOfPlain(bytes, words, at, end);
      this.#lineLength += found - at;
      at = found;
      if (at === bytes.length) break;
      const octet = bytes[at];
      if (octet === LF || octet === 0) return { at, fault: octet === LF ? 'bare-lf' : 'nul' };
      if (octet !== CR) return { at, fault: 'line-too-long' };
      this.#afterCr = true;
      at += 1;
    }
    return undefined;
  }

  get endsInCr(): boolean {
    return this.#afterCr;
  }
}

/** One chunk of BDAT (RFC 3030 2): the announced octets, taken whatever they are. */
export class ChunkContent implements Content {
  readonly last: boolean;
  readonly #check: TextCheck | undefined;
  #remaining: number;

  /** `check`: the transaction's, unless the content is binary or thrown away anyhow. */
  constructor(octets: number, last: boolean, check: TextCheck | undefined) {
    this.#remaining = octets;
    this.last = last;
    this.#check = check;
  }

  get remaining(): number {
    return this.#remaining;
  }

  take(bytes: Uint8Array): Taken {
    const length = Math.min(bytes.length, this.#remaining);
    const mine = length === bytes.length ? bytes : bytes.subarray(0, length);
    const wrong = this.#check?.look(mine);
    const used = wrong === undefined ? length : wrong.at;
    this.#remaining -= used;
    const pieces = used === 0 ? NOTHING : [used === length ? mine : mine.subarray(0, used)];
    const done = this.#remaining === 0;
    return wrong === undefined
      ? { used, pieces, done }
      : { used, pieces, done: false, fault: wrong.fault };
  }

  discard(bytes: Uint8Array): Discarded {
    const used = Math.min(bytes.length, this.#remaining);
    this.#remaining -= used;
    return { used, done: this.#remaining === 0, doubtful: false };
  }

  finalFault(): ContentFault | undefined {
    return this.last && this.#check?.endsInCr === true ? 'bare-cr' : undefined;
  }
}

/** The same lines in the octets that are passed on, if nothing was cut out of these. */
function linesIn(
  bytes: Uint8Array,
  [only, second]: readonly Uint8Array[],
  lines: PlainLines | undefined,
): PlainLines | undefined {
  if (only === undefined || second !== undefined || lines === undefined) return undefined;
  const before = only.byteOffset - bytes.byteOffset;
  return { from: lines.from - before, to: lines.to - before, count: lines.count };
}

/** Pieces as one: a copy only where dots were cut out. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only === undefined) return NO_BYTES;
  return pieces.length === 1 ? only : Buffer.concat(pieces);
}
