/** Check numbers over octets, so that bit rot is noticed and never served as mail. */

import { crc32 } from 'node:zlib';
import { Failure } from '#base/failure.ts';

/** A body file is checked in blocks, so that a range can be checked without the rest. */
export const BLOCK_BYTES = 65_536;

/** The check number of octets that are always read as a whole; `before`: of those in front. */
export function checkNumber(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

/** Check numbers of each block of a stream of octets, four octets each. */
export class BlockChecks {
  readonly #numbers: number[] = [];
  #current = 0;
  #filled = 0;

  add(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const take = Math.min(bytes.length - at, BLOCK_BYTES - this.#filled);
      this.#current = crc32(bytes.subarray(at, at + take), this.#current);
      this.#filled += take;
      at += take;
      if (this.#filled === BLOCK_BYTES) this.#endBlock();
    }
  }

  /** All numbers; nothing may be added afterwards. */
  finish(): Uint8Array {
    if (this.#filled > 0) this.#endBlock();
    const bytes = Buffer.alloc(this.#numbers.length * 4);
    this.#numbers.forEach((number, at) => bytes.writeUInt32LE(number, at * 4));
    return bytes;
  }

  #endBlock(): void {
    this.#numbers.push(this.#current);
    this.#current = 0;
    this.#filled = 0;
  }
}

/** Throws when blocks, beginning with block `first`, are not what was written. */
export function requireBlocks(blocks: Uint8Array, first: number, checks: Uint8Array): void {
  const view = new DataView(checks.buffer, checks.byteOffset, checks.byteLength);
  for (let at = 0, block = first; at < blocks.length; at += BLOCK_BYTES, block += 1) {
    const number = crc32(blocks.subarray(at, at + BLOCK_BYTES));
    if (block * 4 >= checks.length || view.getUint32(block * 4, true) !== number) throw rotten();
  }
}

/** The failure for stored octets that are not what was written. */
export function rotten(): Failure {
  return Failure.permanent(
    'content-damaged',
    'the stored octets of this message have changed on disk: restore it from a backup',
  );
}
