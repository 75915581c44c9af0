/** Octets that came and were not read yet: lines and counts out of it, bounded whatever comes. */

import { concat, CR, LF, NO_BYTES } from '#base/bytes.ts';

/** A line without its end, and what ended it. */
export interface InboxLine {
  readonly octets: Uint8Array;
  readonly end: 'crlf' | 'lf';
}

export class Inbox {
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** Octets at the front that hold no LF. */
  #seen = 0;

  get size(): number {
    return this.#size;
  }

  push(octets: Uint8Array): void {
    this.#chunks.push(octets);
    this.#size += octets.length;
  }

  /** Everything, taken. */
  all(): Uint8Array {
    const whole = this.#joined();
    this.#keep(NO_BYTES);
    return whole;
  }

  /** The first octets, at most `count`, left where they are. */
  peek(count: number): Uint8Array {
    return this.#joined().subarray(0, count);
  }

  /** `count` octets, taken; undefined when there are not so many. */
  take(count: number): Uint8Array | undefined {
    if (this.#size < count) return undefined;
    const whole = this.#joined();
    this.#keep(whole.subarray(count));
    return whole.subarray(0, count);
  }

  /** The next line, taken. Unlike a careful client it takes a bare LF for an end, and says so. */
  line(limitBytes: number): InboxLine | 'more' | 'too-long' {
    const whole = this.#joined();
    const at = whole.indexOf(LF, this.#seen);
    if (at < 0 || at >= limitBytes) {
      this.#seen = whole.length;
      return whole.length >= limitBytes ? 'too-long' : 'more';
    }
    this.#keep(whole.subarray(at + 1));
    const crlf = at > 0 && whole[at - 1] === CR;
    return { octets: whole.subarray(0, crlf ? at - 1 : at), end: crlf ? 'crlf' : 'lf' };
  }

  #joined(): Uint8Array {
    const whole = concat(this.#chunks.length === 0 ? [NO_BYTES] : this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  #keep(rest: Uint8Array): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
    this.#seen = 0;
  }
}
