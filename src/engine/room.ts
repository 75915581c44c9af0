/** Whether the disk has room for more mail. */

import { statfsSync } from 'node:fs';

const FRESH_MS = 1_000;

/** Asks the file system at most once a second. */
export class DiskRoom {
  readonly #directory: string;
  readonly #minimumFreeBytes: number;
  readonly #now: () => number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #freeBytes = 0;

  constructor(directory: string, minimumFreeBytes: number, now: () => number) {
    this.#directory = directory;
    this.#minimumFreeBytes = minimumFreeBytes;
    this.#now = now;
  }

  /** A file system that does not answer has no room. */
  hasRoom(expectedBytes: number): boolean {
    const nowMs = this.#now();
    if (nowMs - this.#askedMs >= FRESH_MS || nowMs < this.#askedMs) {
      this.#askedMs = nowMs;
      this.#freeBytes = freeBytes(this.#directory);
    }
    return this.#freeBytes - expectedBytes >= this.#minimumFreeBytes;
  }
}

function freeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
