/** Reads octets of contents, from the database and from body files, and notices bit rot. */

import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '#base/failure.ts';
import type { Awaitable, ContentId } from '#base/brand.ts';
import { BLOCK_BYTES, checkNumber, requireBlocks, rotten } from '../checks.ts';
import { fileFailure } from '../failures.ts';
import type { Connection } from '../connection.ts';
import type { FreshContents } from './fresh.ts';
import type { Reading } from './reading.ts';

/** Head and body are joined by SQLite: two values would cost more than the copy. */
const FIND = `SELECT contents.checked,
  coalesce(CAST(contents.head || octets.bytes AS BLOB), contents.head),
  files.name, files.size_bytes, files.checks FROM contents LEFT JOIN octets ON octets.content = contents.id
  LEFT JOIN files ON files.id = contents.file WHERE contents.id = ?`;

type Found = readonly [
  checked: number,
  inline: Uint8Array,
  file: string | null,
  fileBytes: number | null,
  checks: Uint8Array | null,
];

export interface BodyFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly checks: Uint8Array;
}

/** What the database has of a content: all of it, or its head, and the file behind that. */
export interface InlineOctets {
  readonly inline: Uint8Array;
  readonly file: BodyFile | undefined;
}

/**
 * Fails permanently with `content-damaged` when they are not what was written, temporarily with
 * `no-such-content` when they were freed.
 */
export function inlineOctets(sql: Connection, content: number): InlineOctets {
  const row = sql.row<Found>(FIND, content);
  if (row === undefined) throw Failure.temporary('no-such-content', 'the message is gone');
  const [checked, inline, name, sizeBytes, checks] = row;
  if (checkNumber(inline) !== checked) throw rotten();
  if (name === null || sizeBytes === null || checks === null) return { inline, file: undefined };
  return { inline, file: { name, sizeBytes, checks } };
}

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  readers: number;
}

export class OctetReader {
  readonly #reading: Reading;
  readonly #spool: string;
  readonly #limit: number;
  readonly #fresh: FreshContents;
  /** In the order of last use. */
  readonly #open = new Map<string, OpenFile>();

  constructor(reading: Reading, spool: string, openFiles: number, fresh: FreshContents) {
    this.#reading = reading;
    this.#spool = spool;
    this.#limit = openFiles;
    this.#fresh = fresh;
  }

  /**
   * Octets of a message; fewer than asked only at its end. Fails permanently with
   * `content-damaged` when they are not what was written, temporarily with `no-such-content`
   * when they were freed.
   */
  read(content: ContentId, from: number, lengthBytes: number): Awaitable<Uint8Array> {
    const octets = this.#fresh.read(content, from, lengthBytes);
    if (octets !== undefined) return octets;
    const { inline, file } = this.#reading.one((sql) => inlineOctets(sql, content));
    const end = from + lengthBytes;
    const head = inline.subarray(from, end);
    if (file === undefined) return head;
    const start = Math.max(0, from - inline.length);
    const stop = Math.min(file.sizeBytes, end - inline.length);
    if (stop <= start) return head;
    return this.#readFile(file, start, stop, head);
  }

  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(files.map((file) => closeFile(file)));
  }

  /** Whole blocks, so that each can be checked; the result begins with `head`. */
  async #readFile(
    file: BodyFile,
    start: number,
    stop: number,
    head: Uint8Array,
  ): Promise<Uint8Array> {
    const first = Math.floor(start / BLOCK_BYTES);
    const begin = first * BLOCK_BYTES;
    const end = Math.min(file.sizeBytes, Math.ceil(stop / BLOCK_BYTES) * BLOCK_BYTES);
    const bytes = new Uint8Array(head.length + end - begin);
    const blocks = bytes.subarray(head.length);
    await this.#fill(file.name, blocks, begin);
    requireBlocks(blocks, first, file.checks);
    if (head.length === 0) return blocks.subarray(start - begin, stop - begin);
    // With a head the body begins at its first octet, so both lie side by side already.
    bytes.set(head);
    return bytes.subarray(0, head.length + stop);
  }

  async #fill(name: string, bytes: Uint8Array, position: number): Promise<void> {
    const file = this.#use(name);
    try {
      const handle = await file.handle;
      for (let at = 0; at < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, position + at);
        if (bytesRead === 0) throw rotten();
        at += bytesRead;
      }
    } catch (thrown) {
      this.#open.delete(name);
      throw isMissing(thrown) ? rotten() : fileFailure(thrown, name);
    } finally {
      file.readers -= 1;
      if (this.#open.get(name) !== file) void closeFile(file);
    }
  }

  #use(name: string): OpenFile {
    const file = this.#open.get(name) ?? {
      handle: open(join(this.#spool, name), 'r'),
      readers: 0,
    };
    file.readers += 1;
    this.#open.delete(name);
    this.#open.set(name, file);
    for (const [oldest, old] of this.#open) {
      if (this.#open.size <= this.#limit) break;
      this.#open.delete(oldest);
      void closeFile(old);
    }
    return file;
  }
}

/** Closes a file that nobody reads any more; whoever still reads it closes it afterwards. */
async function closeFile(file: OpenFile): Promise<void> {
  if (file.readers > 0) return;
  try {
    const handle = await file.handle;
    await handle.close();
  } catch {
    // It was never open, or is closed already.
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
