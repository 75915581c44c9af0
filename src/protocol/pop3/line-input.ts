/** Octets to command lines: only CRLF ends one, and no line grows beyond its limit. */

import { CR, LF, NO_BYTES, concat } from '#base/bytes.ts';

export type Line =
  /** Without CRLF. */
  | { readonly kind: 'line'; readonly bytes: Uint8Array }
  /** No whole line is there yet. */
  | { readonly kind: 'more' }
  /** What follows cannot be trusted to be in step: close. */
  | { readonly kind: 'bare-lf' | 'line-too-long' };

/** Keeps what came and was not yet taken: less than one line, and one chunk. */
export class LineInput {
  #bytes: Uint8Array = NO_BYTES;
  /** What came behind them: joined when a line may be whole, not each time something comes. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  #isEndAhead = false;
  /** How far the octets have been looked at without finding a line's end. */
  #searched = 0;

  push(bytes: Uint8Array): void {
    if (this.#length === 0) this.#bytes = bytes;
    else {
      this.#pieces.push(bytes);
      this.#isEndAhead ||= bytes.includes(LF);
    }
    this.#length += bytes.length;
  }

  /** The next line of at most `limitBytes` with its CRLF. */
  next(limitBytes: number): Line {
    if (this.#pieces.length > 0) {
      const isSearched = this.#searched === this.#bytes.length;
      if (isSearched && !this.#isEndAhead && this.#length < limitBytes) return { kind: 'more' };
      this.#bytes = concat([this.#bytes, ...this.#pieces]);
      this.#pieces = [];
      this.#isEndAhead = false;
    }
    const at = this.#bytes.indexOf(LF, this.#searched);
    if (at < 0) {
      this.#searched = this.#bytes.length;
      return this.#bytes.length >= limitBytes ? { kind: 'line-too-long' } : { kind: 'more' };
    }
    if (at >= limitBytes) return { kind: 'line-too-long' };
    if (this.#bytes[at - 1] !== CR) return { kind: 'bare-lf' };
    const bytes = this.#bytes.subarray(0, at - 1);
    this.#bytes = this.#bytes.subarray(at + 1);
    this.#length -= at + 1;
    this.#searched = 0;
    return { kind: 'line', bytes };
  }

  /** Whether anything came that was not taken yet. */
  get hasMore(): boolean {
    return this.#length > 0;
  }

  /** Forgets everything that came. */
  drop(): void {
    this.#bytes = NO_BYTES;
    this.#pieces = [];
    this.#length = 0;
    this.#isEndAhead = false;
    this.#searched = 0;
  }
}
