/** A message as a multi-line response, slice by slice: byte-stuffed, ended, cut after n lines. */

import { CR, LF } from '#base/bytes.ts';

const DOT = 0x2e;
const STUFFED_DOT = Uint8Array.of(DOT);
const CRLF = Uint8Array.of(CR, LF);
const LAST_LINE = Uint8Array.of(DOT, CR, LF);
const CRLF_LAST_LINE = Uint8Array.of(CR, LF, DOT, CR, LF);

/**
 * Turns slices into pieces to send, without copying them (RFC 1939 3). A bare LF goes out as
 * CRLF: clients that take it for a line's end and clients that do not would otherwise see the
 * message end at different places.
 */
export class DotStuffing {
  readonly #headBytes: number;
  #linesLeft: number;
  #position = 0;
  /** The last octet; before the first one a line begins. */
  #previous: number = LF;

  /** `bodyLines`: how many lines after the head are wanted (TOP); Infinity: all. */
  constructor(headBytes: number, bodyLines: number) {
    this.#headBytes = headBytes;
    this.#linesLeft = bodyLines;
  }

  /** Whether all wanted lines went out: the rest of the message need not be read. */
  get complete(): boolean {
    return this.#linesLeft <= 0 && this.#position >= this.#headBytes;
  }

  /** The next octets of the message, in order; hands the pieces to `send`. */
  push(slice: Uint8Array, send: (piece: Uint8Array) => void): void {
    let start = 0;
    let at = 0;
    while (at < slice.length && !this.complete) {
      if (this.#previous === LF && slice[at] === DOT) {
        if (at > start) send(slice.subarray(start, at));
        send(STUFFED_DOT);
        start = at;
      }
      const found = slice.indexOf(LF, at);
      const end = found < 0 ? slice.length : found;
      if (end > at) this.#previous = slice[end - 1] ?? LF;
      if (found >= 0) {
        if (this.#previous !== CR) {
          if (end > start) send(slice.subarray(start, end));
          send(CRLF);
          start = end + 1;
        }
        this.#previous = LF;
        this.#position += end + 1 - at;
        if (this.#position > this.#headBytes) this.#linesLeft -= 1;
        at = end + 1;
      } else {
        this.#position += end - at;
        at = end;
      }
    }
    if (at > start) send(slice.subarray(start, at));
  }

  /** What ends the response: the line that the message itself left open, and the dot. */
  end(): Uint8Array {
    return this.#previous === LF ? LAST_LINE : CRLF_LAST_LINE;
  }
}
