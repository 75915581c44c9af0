/** What came from the client and was not used yet: lines, octets, in any chunking. */

import { LF, CR } from '#base/bytes.ts';

/** What a reader waits for. */
export type Want =
  /** A line of at most `max` octets without its CRLF. */
  | { readonly kind: 'line'; readonly max: number }
  /** A line as above, or news of the selected mailbox, whichever is there first. */
  | { readonly kind: 'line-or-news'; readonly max: number }
  /** Exactly so many octets. */
  | { readonly kind: 'octets'; readonly count: number }
  /** At least one, at most so many octets: as they come. */
  | { readonly kind: 'some'; readonly max: number }
  /** To the end of a line that is too long, at most so many octets: what stands at its end. */
  | { readonly kind: 'rest-of-line'; readonly max: number };

export type Got =
  | { readonly kind: 'line'; readonly bytes: Uint8Array }
  | { readonly kind: 'octets'; readonly bytes: Uint8Array }
  | { readonly kind: 'news' }
  /** No line end within the limit; nothing was taken. */
  | { readonly kind: 'too-long' }
  /** An LF without a CR before it. */
  | { readonly kind: 'bare-lf' }
  /** Some of a long line: `ended` tells whether its CRLF is passed; its first and last octets. */
  | {
      readonly kind: 'rest';
      readonly ended: boolean;
      readonly dropped: number;
      readonly head: Uint8Array;
      readonly tail: Uint8Array;
    };

const HEAD = 101;
const TAIL = 32;

/** Grows by doubling, so that one octet at a time costs no more than all at once. */
export class Input {
  #buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** Where the search for a line end goes on. */
  #scanned = 0;
  #tail: Uint8Array = new Uint8Array(0);

  get length(): number {
    return this.#to - this.#from;
  }

  append(bytes: Uint8Array): void {
    if (this.#from === this.#to) this.clear();
    if (this.#to + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  clear(): void {
    this.#from = 0;
    this.#to = 0;
    this.#scanned = 0;
    // A large literal once must not cost its memory for the rest of the session.
    if (this.#buffer.length > 131_072) this.#buffer = Buffer.alloc(0);
  }

  /** What is wanted, if it is there; octets are copies. */
  take(want: Want): Got | undefined {
    switch (want.kind) {
      case 'line':
      case 'line-or-news':
        return this.#line(want.max);
      case 'octets':
        return this.length < want.count
          ? undefined
          : { kind: 'octets', bytes: this.#cut(want.count) };
      case 'some':
        return this.length === 0
          ? undefined
          : { kind: 'octets', bytes: this.#cut(Math.min(want.max, this.length)) };
      case 'rest-of-line':
        return this.#rest(want.max);
    }
  }

  #line(max: number): Got | undefined {
    const at = this.#lineFeed();
    if (at === undefined) return this.length > max + 1 ? { kind: 'too-long' } : undefined;
    if (at - this.#from > max + 1) return { kind: 'too-long' };
    if (at === this.#from || this.#buffer[at - 1] !== CR) return { kind: 'bare-lf' };
    const bytes = this.#cut(at + 1 - this.#from);
    return { kind: 'line', bytes: bytes.subarray(0, -2) };
  }

  /** Drops what is there of the line, keeping its last octets: a literal may be announced. */
  #rest(max: number): Got | undefined {
    if (this.length === 0) return undefined;
    const found = this.#lineFeed();
    // What stands behind the last octet that is wanted is not looked at: it may not be there yet.
    const at = found !== undefined && found - this.#from < max ? found : undefined;
    const end = at === undefined ? this.#to : at + 1;
    const piece = this.#cut(Math.min(max, end - this.#from));
    this.#tail = Buffer.concat([this.#tail, piece.subarray(-TAIL)]).subarray(-TAIL);
    const ended = at !== undefined && this.#tail.at(-2) === CR;
    if (at !== undefined && !ended) return { kind: 'bare-lf' };
    const tail = ended ? this.#tail.subarray(0, -2) : this.#tail;
    if (ended) this.#tail = new Uint8Array(0);
    return { kind: 'rest', ended, dropped: piece.length, head: piece.subarray(0, HEAD), tail };
  }

  #lineFeed(): number | undefined {
    const from = Math.max(this.#scanned, this.#from);
    const at = this.#buffer.subarray(0, this.#to).indexOf(LF, from);
    this.#scanned = at < 0 ? this.#to : at;
    return at < 0 ? undefined : at;
  }

  #cut(count: number): Uint8Array {
    const bytes = Uint8Array.prototype.slice.call(
      this.#buffer,
      this.#from,
      this.#from + count,
    ) as Uint8Array;
    this.#from += count;
    return bytes;
  }

  #makeRoom(count: number): void {
    const kept = this.length;
    const size = Math.max(1_024, (kept + count) * 2);
    const target = size > this.#buffer.length ? Buffer.allocUnsafe(size) : this.#buffer;
    this.#buffer.copy(target, 0, this.#from, this.#to);
    this.#scanned = Math.max(0, this.#scanned - this.#from);
    this.#buffer = target;
    this.#from = 0;
    this.#to = kept;
  }
}
