/** What is on its way to the client: text written into place as octets, octets between it untouched. */

import { NO_BYTES } from '#base/bytes.ts';

/** The room that a short answer finds. */
const SHORT_BYTES = 256;
/** From here on text and octets are written by the runtime, shorter by a loop that costs less. */
const LONG_TEXT = 32;
const LONG_COPY = 40;
/** Above this a number is written as text: below it divides as a whole number of the processor. */
const SMALL_NUMBER = 0x7fff_ffff;
const ZERO = 0x30;

export class Output {
  /** Memory for text; given up with every `take`, so that an idle session has none. */
  #room: Uint8Array = NO_BYTES;
  /** Text in `#room` that is no piece yet. */
  #start = 0;
  #end = 0;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  /** What the last `take` had of text: of long answers the next slice will be as long. */
  #lastBytes = 0;
  #shut = false;

  /** Octets gathered since the last `take`. */
  get size(): number {
    return this.#piecesBytes + this.#end - this.#start;
  }

  /** Text of octets: each character below 256 is one. */
  text(text: string): void {
    const { length } = text;
    if (this.#shut || length === 0) return;
    const at = this.#reserve(length);
    const room = this.#room;
    if (length >= LONG_TEXT) Buffer.prototype.write.call(room, text, at, 'latin1');
    else for (let index = 0; index < length; index += 1) room[at + index] = text.charCodeAt(index);
  }

  /** A whole number that is not negative, in decimal digits. */
  number(value: number): void {
    if (value > SMALL_NUMBER) {
      this.text(String(value));
      return;
    }
    if (this.#shut) return;
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits += 1;
    let at = this.#reserve(digits) + digits;
    const room = this.#room;
    for (let left = value; digits > 0; digits -= 1) {
      const tenth = (left / 10) | 0;
      at -= 1;
      room[at] = ZERO + left - tenth * 10;
      left = tenth;
    }
  }

  /** Octets that are copied, because there are few of them; whole ones cost a tenth of text. */
  copy(bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (this.#shut) return;
    const length = to - from;
    const at = this.#reserve(length);
    const room = this.#room;
    if (length === bytes.length) room.set(bytes, at);
    else if (length >= LONG_COPY) room.set(bytes.subarray(from, to), at);
    else
      for (let index = 0; index < length; index += 1) room[at + index] = bytes[from + index] ?? 0;
  }

  bytes(bytes: Uint8Array): void {
    if (this.#shut) return;
    this.#close();
    this.#pieces.push(bytes);
    this.#piecesBytes += bytes.length;
  }

  /** Nothing more goes out: a promised literal cannot be kept, and words would be read as it. */
  shut(): void {
    this.#shut = true;
  }

  /** Everything so far, given up. */
  take(): readonly Uint8Array[] {
    this.#lastBytes = this.#end;
    this.#close();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.#room = NO_BYTES;
    this.#start = 0;
    this.#end = 0;
    return pieces;
  }

  /** Where the next `length` octets of text belong: there is room for them. */
  #reserve(length: number): number {
    const at = this.#end;
    this.#end = at + length;
    return this.#end > this.#room.length ? this.#enlarge(length) : at;
  }

  #enlarge(length: number): number {
    const begun = this.#room.subarray(this.#start, this.#end - length);
    // A little more than last time: slices are never equally long.
    const likely = this.#lastBytes + (this.#lastBytes >> 3);
    const bytes = Math.max(SHORT_BYTES, likely, 2 * (begun.length + length));
    this.#room = Buffer.allocUnsafe(bytes);
    this.#room.set(begun);
    this.#start = 0;
    this.#end = begun.length + length;
    return begun.length;
  }

  #close(): void {
    if (this.#start === this.#end) return;
    const text = this.#room.subarray(this.#start, this.#end);
    this.#pieces.push(text);
    this.#piecesBytes += text.length;
    this.#start = this.#end;
  }
}
