/** Who was seen before, by a digest: bounded, and told piece by piece to whoever writes it down. */

import { createHash } from 'node:crypto';
import type { Clock } from '#base/world.ts';
import type { Remembered } from '#store/memories.ts';

export interface MemoryOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Forgotten so long after it was last seen. */
  readonly keepMs: number;
  /** Default 100,000; what was seen longest ago goes first. */
  readonly entries?: number;
  /** What was written down before, the newest first. */
  readonly known?: readonly Remembered[];
}

const ENTRIES = 100_000;
/** Changes that wait to be written; without a writer they must not pile up. */
const CHANGES = 50_000;
const DIGEST_CHARACTERS = 22;

/** Keys are made by `memoryKey`; times are of the wall clock, since they outlive the process. */
export class Memory {
  readonly #keepMs: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #entries: number;
  readonly #known = new Map<string, Remembered>();
  #changed = new Map<string, Remembered>();

  constructor({ clock, keepMs, entries = ENTRIES, known = [] }: MemoryOptions) {
    this.#clock = clock;
    this.#keepMs = keepMs;
    this.#entries = entries;
    for (const one of known.slice(0, entries).toReversed()) this.#known.set(one.key, one);
  }

  find(key: string): Remembered | undefined {
    const known = this.#known.get(key);
    return known === undefined || this.#clock.now() - known.lastMs > this.#keepMs
      ? undefined
      : known;
  }

  /** Seen now, once more; `anew`: what was known of it does not count. */
  see(key: string, anew = false): Remembered {
    const nowMs = this.#clock.now();
    const before = anew ? undefined : this.find(key);
    const { firstMs = nowMs, times = 0 } = before ?? {};
    const seen = { key, firstMs, lastMs: nowMs, times: times + 1 };
    this.#known.delete(key);
    this.#known.set(key, seen);
    if (this.#changed.size < CHANGES) this.#changed.set(key, seen);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#entries) break;
      this.#known.delete(oldest);
    }
    return seen;
  }

  /** What was last seen before then is known here no more, and need not be written down. */
  get forgetBeforeMs(): number {
    const oldMs = this.#clock.now() - this.#keepMs;
    const [oldest] = this.#known.values();
    const isFull = this.#known.size >= this.#entries;
    return isFull && oldest !== undefined ? Math.max(oldMs, oldest.lastMs) : oldMs;
  }

  /** What is new since the last call: to be written down. */
  takeChanges(): readonly Remembered[] {
    const changes = [...this.#changed.values()];
    this.#changed = new Map();
    return changes;
  }

  get size(): number {
    return this.#known.size;
  }
}

/** One short key of several texts, none of which can be read from it by looking at the disk. */
export function memoryKey(...parts: readonly string[]): string {
  const whole = parts.map((part) => `${part.length} ${part}`).join('\n');
  return createHash('sha256').update(whole).digest('base64url').slice(0, DIGEST_CHARACTERS);
}
