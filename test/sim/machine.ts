/** The machine under the program: what src/engine takes from the system by itself, made virtual. */

import crypto from 'node:crypto';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';
import type { Chance } from './chance.ts';
import { type Disk, diskOf } from './disk.ts';
import { EPOCH_MS, type Owner, type Timeline } from './timeline.ts';

/** What the machine does for one run. */
export interface Running {
  readonly timeline: Timeline;
  readonly chance: Chance;
  /** By the root of each. */
  readonly disks: Map<string, Disk>;
  /** How long the writer waits for its turn: the speed of a host's disk. */
  readonly diskDelayMs: (owner: Owner) => number;
}

/**
 * src/engine uses the runtime itself: `setImmediate`, `Date.now`, node:fs/promises, randomBytes;
 * and policy/login the thread pool for argon2. All of these are replaced in this process, for good;
 * nothing of src is changed. Real timers throw: whoever waited for real time would not be
 * deterministic.
 */
export class Machine {
  #running: Running | undefined;
  /** FIFO, as the real one is. */
  readonly #lastMs = new WeakMap<Owner, number>();

  /** Takes the place of the system's. */
  install(): void {
    const real = { now: Date.now };
    const world = (): Running | undefined => this.#running;
    Date.now = () => {
      const running = world();
      return running === undefined ? real.now() : EPOCH_MS + running.timeline.nowMs;
    };
    Object.assign(globalThis, {
      setImmediate: (task: (...given: unknown[]) => void, ...given: unknown[]) =>
        this.#immediate(() => task(...given)),
      setTimeout: () => notHere('setTimeout'),
      setInterval: () => notHere('setInterval'),
    });
    Math.random = () => notHere('Math.random');
    Object.assign(crypto, {
      randomBytes: (length: number) => Buffer.from(this.#need().chance.bytes(length)),
      argon2: (_: string, input: Argon2Input, done: (error: null, hash: Buffer) => void) =>
        queueMicrotask(() => done(null, quickHash(input))),
    });
    Object.assign(
      fsPromises,
      fileSystem(() => this.#need()),
    );
    syncBuiltinESMExports();
    this.#watchDatabases();
  }

  /** From now on everything happens in this run; undefined: in none. */
  enter(running: Running | undefined): void {
    this.#running = running;
  }

  #need(): Running {
    return this.#running ?? notHere('the disk');
  }

  #immediate(task: () => void): object {
    const { timeline, diskDelayMs } = this.#need();
    const owner = timeline.current;
    const wantedMs = timeline.nowMs + diskDelayMs(owner);
    const atMs = Math.max(wantedMs, this.#lastMs.get(owner) ?? 0);
    this.#lastMs.set(owner, atMs);
    return timeline.at(atMs - timeline.nowMs, owner, 'immediate', task);
  }

  /** Every connection runs some SQL as soon as it is made. */
  #watchDatabases(): void {
    const { prototype } = DatabaseSync;
    // oxlint-disable-next-line typescript/unbound-method -- called with its database below
    const { exec } = prototype;
    const running = (): Running | undefined => this.#running;
    prototype.exec = function watched(this: DatabaseSync, sql: string) {
      const place = this.location();
      const now = running();
      if (place !== null && now !== undefined) diskOf(now.disks, place)?.opened(this, sql);
      return exec.call(this, sql);
    };
  }
}

interface Argon2Input {
  readonly message: string;
  readonly nonce: Uint8Array;
  readonly tagLength: number;
}

/** Argon2's slowness is not what is simulated. */
function quickHash({ message, nonce, tagLength }: Argon2Input): Buffer {
  return crypto.createHash('sha512').update(nonce).update(message).digest().subarray(0, tagLength);
}

function notHere(what: string): never {
  throw new Error(`${what} has no place in a simulation`);
}

function trouble(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** node:fs/promises, at once and on the disks of the run. */
function fileSystem(running: () => Running): Partial<typeof fsPromises> {
  const disk = (path: string): Disk =>
    diskOf(running().disks, path) ?? notHere(`a file outside: ${path}`);
  const made = {
    open: async (path: string, flags: string, mode?: number) => {
      const on = disk(path);
      if (flags !== 'r' && on.fails()) throw trouble('ENOSPC');
      return handle(on, path, fs.openSync(path, flags, mode));
    },
    unlink: async (path: string) => fs.unlinkSync(path),
    readdir: async (path: string) => fs.readdirSync(path).sort(),
    stat: async (path: string) => {
      const stats = fs.statSync(path);
      // Every file here is as old as the run: none is old enough to be an orphan before its time.
      return { isFile: () => stats.isFile(), mtimeMs: EPOCH_MS, size: stats.size };
    },
  };
  return made as unknown as Partial<typeof fsPromises>;
}

/** One open file. */
function handle(disk: Disk, path: string, descriptor: number): object {
  const sync = async (): Promise<void> => {
    if (disk.fails()) throw trouble('EIO');
    if (fs.fstatSync(descriptor).isDirectory()) disk.syncedNames(path);
    else disk.syncedFile(path);
  };
  return {
    writev: async (pieces: readonly Uint8Array[]) => {
      if (disk.fails()) throw trouble('ENOSPC');
      disk.wrote(path);
      const bytes = Buffer.concat(pieces);
      const bytesWritten = fs.writeSync(descriptor, bytes, 0, disk.takes(bytes.length));
      return { bytesWritten };
    },
    read: async (bytes: Uint8Array, at: number, length: number, position: number) => ({
      bytesRead: fs.readSync(descriptor, bytes, at, length, position),
    }),
    datasync: sync,
    sync,
    close: async () => fs.closeSync(descriptor),
  };
}
