/** Makes every line end CRLF, in pieces: the store, POP3 and the queue rely on nothing else. */

import { CR, LF, NO_BYTES, asBuffer, concat } from '#base/bytes.ts';

const CRLF = Uint8Array.of(CR, LF);

/**
 * Clients append what they have: mbox exports with bare LF, old Mac text with bare CR. Refusing
 * it would lose mail on a migration, so each bare one becomes CRLF; nothing else is touched.
 */
export class LineEnds {
  /** A CR stood at the end of the last piece and was not passed on yet. */
  #heldCr = false;

  /** The piece with its line ends repaired; the same memory when nothing had to be. */
  repair(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes;
    const buffer = asBuffer(bytes);
    const pieces: Uint8Array[] = [];
    let from = 0;
    if (this.#heldCr) {
      pieces.push(CRLF);
      from = buffer[0] === LF ? 1 : 0;
      this.#heldCr = false;
    }
    let cr = indexOf(buffer, CR, from);
    let lf = indexOf(buffer, LF, from);
    while (cr < buffer.length || lf < buffer.length) {
      if (cr + 1 === lf && lf < buffer.length) {
        cr = indexOf(buffer, CR, lf + 1);
        lf = indexOf(buffer, LF, lf + 1);
        continue;
      }
      const at = Math.min(cr, lf);
      pieces.push(buffer.subarray(from, at));
      from = at + 1;
      if (at === cr) {
        cr = indexOf(buffer, CR, from);
        if (from === buffer.length) {
          this.#heldCr = true;
          break;
        }
      } else lf = indexOf(buffer, LF, from);
      pieces.push(CRLF);
    }
    if (pieces.length === 0) return bytes;
    pieces.push(buffer.subarray(from));
    return concat(pieces);
  }

  /** What is left at the end of the message. */
  finish(): Uint8Array {
    const held = this.#heldCr;
    this.#heldCr = false;
    return held ? CRLF : NO_BYTES;
  }
}

function indexOf(buffer: Buffer, octet: number, from: number): number {
  const at = buffer.indexOf(octet, from);
  return at < 0 ? buffer.length : at;
}
