/** Reads the octets of a content at once, without promises: for the writer, which may wait. */

import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { BLOCK_BYTES, requireBlocks, rotten } from '../checks.ts';
import type { Connection } from '../connection.ts';
import { inlineOctets } from '../readers/octets.ts';
import type { InlineOctets } from '../readers/octets.ts';

/** One content, open until `close`. */
export class ContentOctets {
  readonly #spool: string;
  readonly #found: InlineOctets;
  #descriptor: number | undefined;

  /** Fails permanently with `content-damaged`, temporarily with `no-such-content`. */
  constructor(sql: Connection, spool: string, content: number) {
    this.#spool = spool;
    this.#found = inlineOctets(sql, content);
  }

  /** Octets `from` to `from + lengthBytes`, fewer at the end; never across the end of the head. */
  read(from: number, lengthBytes: number): Uint8Array {
    const { inline, file } = this.#found;
    if (file === undefined || from + lengthBytes <= inline.length) {
      return inline.subarray(from, from + lengthBytes);
    }
    if (from < inline.length) throw rotten();
    const start = from - inline.length;
    const stop = Math.min(file.sizeBytes, start + lengthBytes);
    if (stop <= start) return inline.subarray(0, 0);
    const first = Math.floor(start / BLOCK_BYTES);
    const begin = first * BLOCK_BYTES;
    const end = Math.min(file.sizeBytes, Math.ceil(stop / BLOCK_BYTES) * BLOCK_BYTES);
    const blocks = new Uint8Array(end - begin);
    this.#descriptor ??= openSync(join(this.#spool, file.name), 'r');
    for (let at = 0; at < blocks.length;) {
      const size = readSync(this.#descriptor, blocks, at, blocks.length - at, begin + at);
      if (size === 0) throw rotten();
      at += size;
    }
    requireBlocks(blocks, first, file.checks);
    return blocks.subarray(start - begin, stop - begin);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
