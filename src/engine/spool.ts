/** The spool: bodies while they arrive, in memory while small, else in a file that is synced. */

import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Awaitable } from '#base/brand.ts';
import { concat, letGo, NO_BYTES } from '#base/bytes.ts';
import type { Spool } from '#store/content.ts';
import { BlockChecks } from './checks.ts';
import { fileFailure } from './failures.ts';
import type { CheckedBody } from './steps/content.ts';

/** Octets that are gathered before they are written: fewer, larger writes. */
const WRITE_BYTES = 524_288;
/** Octets after which the disk is set to work on what it has: not all the waiting at the end. */
const SYNC_BYTES = 2_097_152;

/** Where bodies lie; knows the names that no row names yet but somebody still needs. */
export class SpoolRoom {
  readonly directory: string;
  readonly inlineBytes: number;
  readonly #inUse = new Set<string>();
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;

  readonly #hasRow: (name: string) => boolean;

  constructor(directory: string, inlineBytes: number, hasRow: (name: string) => boolean) {
    this.directory = directory;
    this.inlineBytes = inlineBytes;
    this.#hasRow = hasRow;
  }

  spool(): Spool {
    return new BodySpool(this);
  }

  /** A name that was never used before. */
  newName(): string {
    const name = `${Date.now().toString(36)}-${randomUUID()}`;
    this.#inUse.add(name);
    return name;
  }

  isInUse(name: string): boolean {
    return this.#inUse.has(name);
  }

  /** A row names it now, or nobody wants it. */
  forget(name: string): void {
    this.#inUse.delete(name);
  }

  /** Removes a file, unless a row names it: then somebody's mail lies in it. */
  async remove(name: string): Promise<void> {
    try {
      if (!this.#hasRow(name)) await unlink(join(this.directory, name));
    } catch {
      // What stays is removed as an orphan, later.
    }
    this.forget(name);
  }

  /** Makes new names durable; all who ask while one sync runs share the next one. */
  syncNames(): Promise<void> {
    if (this.#syncing === undefined) return this.#sync();
    this.#nextSync ??= this.#syncing.then(
      () => this.#sync(),
      () => this.#sync(),
    );
    return this.#nextSync;
  }

  #sync(): Promise<void> {
    this.#nextSync = undefined;
    const sync = syncDirectory(this.directory).finally(() => {
      if (this.#syncing === sync) this.#syncing = undefined;
    });
    this.#syncing = sync;
    return sync;
  }
}

/** One body. */
class BodySpool implements Spool {
  readonly #room: SpoolRoom;
  readonly #checks = new BlockChecks();
  #pieces: Uint8Array[] = [];
  /** How many of the pieces have check numbers. */
  #checked = 0;
  #gathered = 0;
  #size = 0;
  #name: string | undefined;
  #file: FileHandle | undefined;
  #working: Promise<void> | undefined;
  /** Octets that were written since the last sync began. */
  #unsynced = 0;
  /** A sync that was begun early; one that failed stays, for `finish` to hear of. */
  #syncing: Promise<void> | undefined;

  constructor(room: SpoolRoom) {
    this.#room = room;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  write(bytes: Uint8Array): Awaitable<void> {
    if (bytes.length === 0) return undefined;
    this.#pieces.push(bytes);
    this.#gathered += bytes.length;
    this.#size += bytes.length;
    if (this.#size <= this.#room.inlineBytes) return undefined;
    this.#check();
    return this.#gathered < WRITE_BYTES ? undefined : this.#work(() => this.#flush());
  }

  finish(): Awaitable<Uint8Array | CheckedBody> {
    if (this.#size <= this.#room.inlineBytes) return concat(this.#pieces);
    return this.#finishFile();
  }

  discard(): void {
    this.#pieces = [];
    const name = this.#name;
    if (name === undefined) return;
    const remove = async (): Promise<void> => {
      await this.#file?.close().catch(() => undefined);
      this.#file = undefined;
      await this.#room.remove(name);
    };
    void (this.#working ?? Promise.resolve()).then(remove, remove);
  }

  async #finishFile(): Promise<CheckedBody> {
    await this.#work(async () => {
      await this.#flush();
      await Promise.all([this.#sync(), this.#room.syncNames()]);
    });
    const name = this.#name ?? '';
    return { kind: 'spooled', name, sizeBytes: this.#size, checks: this.#checks.finish() };
  }

  async #sync(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await this.#syncing;
      await file?.datasync();
    } finally {
      await file?.close();
    }
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces;
    this.#unsynced += this.#gathered;
    this.#pieces = [];
    this.#checked = 0;
    this.#gathered = 0;
    this.#file ??= await this.#create();
    let left = pieces;
    while (left.length > 0) {
      const { bytesWritten } = await this.#file.writev(left);
      left = rest(left, bytesWritten);
    }
    for (const piece of pieces) letGo(piece);
    if (this.#unsynced >= SYNC_BYTES && this.#syncing === undefined) this.#syncEarly(this.#file);
  }

  #syncEarly(file: FileHandle): void {
    this.#unsynced = 0;
    const syncing = file.datasync().then(() => {
      this.#syncing = undefined;
    });
    syncing.catch(() => undefined);
    this.#syncing = syncing;
  }

  /** At once, while the octets are in the processor's cache. */
  #check(): void {
    for (; this.#checked < this.#pieces.length; this.#checked += 1) {
      this.#checks.add(this.#pieces[this.#checked] ?? NO_BYTES);
    }
  }

  #create(): Promise<FileHandle> {
    this.#name ??= this.#room.newName();
    return open(join(this.#room.directory, this.#name), 'wx', 0o600);
  }

  #work(task: () => Promise<void>): Promise<void> {
    const failed = (thrown: unknown): never => {
      throw fileFailure(thrown, this.#room.directory);
    };
    this.#working = task().catch(failed);
    return this.#working;
  }
}

/** What a short write left over. */
function rest(pieces: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  const left: Uint8Array[] = [];
  for (const piece of pieces) {
    if (skip < piece.length) left.push(skip === 0 ? piece : piece.subarray(skip));
    skip = Math.max(0, skip - piece.length);
  }
  return left;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
