/** The two canonical forms of a body (RFC 6376 3.4.3, 3.4.4) as streams, in bounded memory. */

import { CR, LF } from '#base/bytes.ts';

/** Takes canonical octets; they are only lent until it returns. */
export type Take = (bytes: Uint8Array) => void;

export interface BodyCanon {
  write(bytes: Uint8Array): void;
  /** The end of the body; nothing may be written after it. */
  finish(): void;
}

const SPACE = 0x20;
const TAB = 0x09;
const CRLF = Uint8Array.of(CR, LF);
/** Empty lines are given out in blocks of this many. */
const BLOCK = 4_096;
const LINE_ENDS = Uint8Array.from({ length: BLOCK * 2 }, (_, at) => (at % 2 === 0 ? CR : LF));
const OUT_BYTES = 16_384;

/** Only line ends at the end of the body change: all of them, or none, become one. */
export class SimpleBody implements BodyCanon {
  readonly #take: Take;
  /** Line ends not given out yet: they may be the last ones. */
  #ends = 0;
  /** A CR whose next octet has not come. */
  #cr = false;

  constructor(take: Take) {
    this.#take = take;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    let from = this.#afterCr(bytes);
    while (bytes[from] === CR && bytes[from + 1] === LF) {
      this.#ends++;
      from += 2;
    }
    if (from === bytes.length) return;
    let to = bytes.length;
    const cr = bytes[to - 1] === CR;
    if (cr) to--;
    let ends = 0;
    while (to - 2 >= from && bytes[to - 2] === CR && bytes[to - 1] === LF) {
      ends++;
      to -= 2;
    }
    if (to > from) {
      this.#flush();
      this.#take(bytes.subarray(from, to));
    }
    this.#ends += ends;
    this.#cr = cr;
  }

  finish(): void {
    if (this.#cr) this.#bareCr();
    this.#take(CRLF);
  }

  /** What a CR at the end of the piece before was; gives the first octet not used up. */
  #afterCr(bytes: Uint8Array): number {
    if (!this.#cr) return 0;
    this.#cr = false;
    if (bytes[0] === LF) {
      this.#ends++;
      return 1;
    }
    this.#bareCr();
    return 0;
  }

  #bareCr(): void {
    this.#flush();
    this.#take(CRLF.subarray(0, 1));
  }

  #flush(): void {
    giveLineEnds(this.#ends, this.#take);
    this.#ends = 0;
  }
}

/** Runs of blanks become one space, blanks at line ends go, and empty lines at the end. */
export class RelaxedBody implements BodyCanon {
  readonly #take: Take;
  readonly #out = new Uint8Array(OUT_BYTES);
  #used = 0;
  #any = false;
  #ends = 0;
  #blank = false;
  #cr = false;

  constructor(take: Take) {
    this.#take = take;
  }

  write(bytes: Uint8Array): void {
    const { length } = bytes;
    const out = this.#out;
    for (let at = 0; at < length; at++) {
      const octet = bytes[at] as number;
      if (this.#cr) {
        this.#cr = false;
        if (octet === LF) {
          this.#blank = false;
          this.#ends++;
          continue;
        }
        this.#put(CR);
      }
      if (octet === CR) this.#cr = true;
      else if (octet === SPACE || octet === TAB) this.#blank = true;
      else {
        this.#put(octet);
        // The common case without calls: a run of octets that are what they are.
        let used = this.#used;
        while (at + 1 < length && used < OUT_BYTES) {
          const next = bytes[at + 1] as number;
          if (next === SPACE || next === CR || next === TAB) break;
          out[used++] = next;
          at++;
        }
        this.#used = used;
      }
    }
  }

  finish(): void {
    if (this.#cr) this.#put(CR);
    this.#empty();
    if (this.#any) this.#take(CRLF);
  }

  /** An octet that is no blank and no line end, with what waited before it. */
  #put(octet: number): void {
    if (this.#ends > 0) {
      if (this.#ends * 2 < BLOCK) for (; this.#ends > 0; this.#ends--) this.#two(CR, LF);
      else {
        this.#empty();
        giveLineEnds(this.#ends, this.#take);
        this.#ends = 0;
      }
      this.#any = true;
    }
    if (this.#blank) {
      this.#blank = false;
      this.#two(SPACE, octet);
      return;
    }
    if (this.#used >= OUT_BYTES) this.#empty();
    this.#out[this.#used++] = octet;
  }

  #two(first: number, second: number): void {
    if (this.#used + 2 > OUT_BYTES) this.#empty();
    this.#out[this.#used++] = first;
    this.#out[this.#used++] = second;
  }

  #empty(): void {
    if (this.#used === 0) return;
    this.#any = true;
    this.#take(this.#out.subarray(0, this.#used));
    this.#used = 0;
  }
}

function giveLineEnds(count: number, take: Take): void {
  for (let left = count; left > 0; left -= BLOCK) {
    take(LINE_ENDS.subarray(0, Math.min(left, BLOCK) * 2));
  }
}
