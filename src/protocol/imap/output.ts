/** What is on its way to the client: text gathered cheaply, octets between it untouched. */

import { fromLatin1 } from '#base/bytes.ts';

export class Output {
  #text = '';
  #pieces: Uint8Array[] = [];
  #size = 0;
  #shut = false;

  /** Octets gathered since the last `take`. */
  get size(): number {
    return this.#size;
  }

  /** Text of octets: each character below 256 is one. */
  text(text: string): void {
    if (this.#shut) return;
    this.#text += text;
    this.#size += text.length;
  }

  bytes(bytes: Uint8Array): void {
    if (this.#shut) return;
    this.#close();
    this.#pieces.push(bytes);
    this.#size += bytes.length;
  }

  /** Nothing more goes out: a promised literal cannot be kept, and words would be read as it. */
  shut(): void {
    this.#shut = true;
  }

  /** Everything so far, given up. */
  take(): readonly Uint8Array[] {
    this.#close();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#size = 0;
    return pieces;
  }

  #close(): void {
    if (this.#text === '') return;
    this.#pieces.push(fromLatin1(this.#text));
    this.#text = '';
  }
}
