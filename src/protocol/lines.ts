/** Command lines out of a stream: only CRLF ends one, everything else that might is a fault. */

import { concat, CR, LF, NO_BYTES } from '#base/bytes.ts';

/** Why a line is none; what follows it cannot be trusted to be a command. */
export type LineFault = 'bare-cr' | 'bare-lf' | 'nul';

/** A line without its CRLF; `more`: it is not complete; `too-long`: call `skipLine` next. */
export type LineResult = Uint8Array | 'more' | 'too-long' | LineFault;

/**
 * Holds what came and was not used yet: at most what one `push` brought and one partial line.
 * Any chunking gives the same results.
 */
export class LineReader {
  #bytes: Uint8Array = NO_BYTES;
  #at = 0;
  /** Octets from `#at` that are known to hold no line end. */
  #seen = 0;

  push(bytes: Uint8Array): void {
    this.#bytes = this.buffered === 0 ? bytes : concat([this.rest(), bytes]);
    this.#at = 0;
  }

  get buffered(): number {
    return this.#bytes.length - this.#at;
  }

  /** The first unread octet. */
  get first(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Everything unread, not taken. */
  rest(): Uint8Array {
    return this.#at === 0 ? this.#bytes : this.#bytes.subarray(this.#at);
  }

  /** Takes `count` octets away. */
  use(count: number): void {
    this.#at += count;
    this.#seen = 0;
    if (this.#at >= this.#bytes.length) this.clear();
  }

  clear(): void {
    this.#bytes = NO_BYTES;
    this.#at = 0;
    this.#seen = 0;
  }

  /** Takes the next line; `limitBytes` counts its CRLF (RFC 5321 4.5.3.1.4 counts so). */
  line(limitBytes: number): LineResult {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + limitBytes);
    let index = this.#at + this.#seen;
    for (; index < end; index++) {
      const octet = bytes[index] ?? 0;
      if (octet > CR) continue;
      if (octet === CR) {
        if (index + 1 === end) break;
        if (bytes[index + 1] !== LF) return 'bare-cr';
        const line = bytes.subarray(this.#at, index);
        this.use(index + 2 - this.#at);
        return line;
      }
      if (octet === LF) return 'bare-lf';
      if (octet === 0) return 'nul';
    }
    if (end - this.#at === limitBytes) return 'too-long';
    this.#seen = index - this.#at;
    return 'more';
  }

  /** After `too-long`: throws octets away up to and with the CRLF, at most `mostBytes`. */
  skipLine(mostBytes: number = Infinity): {
    readonly result: 'done' | 'more' | LineFault;
    readonly skipped: number;
  } {
    const bytes = this.#bytes;
    const start = this.#at;
    const end = Math.min(bytes.length, start + mostBytes);
    for (let index = start; index < end; index++) {
      const octet = bytes[index] ?? 0;
      if (octet > CR) continue;
      if (octet === CR) {
        if (index + 1 === bytes.length) {
          this.use(index - start);
          return { result: 'more', skipped: index - start };
        }
        const ended = bytes[index + 1] === LF;
        this.use(index + 2 - start);
        return { result: ended ? 'done' : 'bare-cr', skipped: index + 2 - start };
      }
      if (octet === LF) return { result: 'bare-lf', skipped: 0 };
      if (octet === 0) return { result: 'nul', skipped: 0 };
    }
    this.use(end - start);
    return { result: 'more', skipped: end - start };
  }
}
