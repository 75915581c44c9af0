/** Message octets as they go on the wire: CRLF alone ends lines, leading dots doubled. */

import { CR, fromLatin1, LF, NO_BYTES } from '#base/bytes.ts';

const DOT = 0x2e;
const CRLF = fromLatin1('\r\n');

/**
 * Content in pieces to wire octets in pieces. A bare CR or LF becomes CRLF, so that no server
 * can take it for the end of a line that we did not mean (SMTP smuggling, CVE-2023-51764);
 * with `stuff` a dot at the start of a line is doubled (RFC 5321 4.5.2), and without (BDAT) not.
 * Pieces that need no change go through uncopied.
 */
export class WireText {
  readonly #stuff: boolean;
  #lineStart = true;
  /** A CR at the end of the last piece, not sent: what follows decides. */
  #heldCr = false;

  constructor(stuff: boolean) {
    this.#stuff = stuff;
  }

  /** The wire form of the next piece. */
  push(piece: Uint8Array): Uint8Array {
    if (piece.length === 0) return NO_BYTES;
    const clean = this.#heldCr ? 0 : this.#cleanLength(piece);
    if (clean === piece.length) {
      this.#lineStart = piece[clean - 1] === LF;
      return piece;
    }
    return this.#repaired(piece, clean);
  }

  /** What is left: a last line always ends. */
  finish(): Uint8Array {
    const open = this.#heldCr || !this.#lineStart;
    this.#heldCr = false;
    this.#lineStart = true;
    return open ? CRLF : NO_BYTES;
  }

  /** How many octets from the start go as they are: up to the start of a line, or all. */
  #cleanLength(piece: Uint8Array): number {
    let start = 0;
    let fresh = this.#lineStart;
    while (start < piece.length) {
      if (fresh && this.#stuff && piece[start] === DOT) return start;
      const cr = piece.indexOf(CR, start);
      const lf = piece.indexOf(LF, start);
      if (cr < 0 && lf < 0) return piece.length;
      if (cr < 0 || lf !== cr + 1) return start;
      start = lf + 1;
      fresh = true;
    }
    return start;
  }

  #repaired(piece: Uint8Array, clean: number): Uint8Array {
    // Each octet becomes at most two; a held CR and a dot come on top.
    const out = Buffer.allocUnsafe(2 * piece.length + 4 - clean);
    out.set(piece.subarray(0, clean));
    if (clean > 0) this.#lineStart = piece[clean - 1] === LF;
    let at = clean;
    for (let index = clean; index < piece.length; index += 1) {
      const octet = piece[index] ?? 0;
      if (this.#heldCr || octet === LF) {
        out[at] = CR;
        out[at + 1] = LF;
        at += 2;
        this.#heldCr = false;
        this.#lineStart = true;
        if (octet === LF) continue;
      }
      if (octet === CR) {
        this.#heldCr = true;
        continue;
      }
      if (octet === DOT && this.#lineStart && this.#stuff) {
        out[at] = DOT;
        at += 1;
      }
      out[at] = octet;
      at += 1;
      this.#lineStart = false;
    }
    return out.subarray(0, at);
  }
}
