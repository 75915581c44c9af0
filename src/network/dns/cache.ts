/** Answers kept until their time to live ends; the oldest go when there are too many. */

import type { Clock } from '#base/world.ts';

interface Kept<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

/** A bounded map with an end for each value, on the monotonic clock. */
export class TtlCache<Value> {
  readonly #clock: Clock;
  readonly #entries: number;
  readonly #map = new Map<string, Kept<Value>>();

  constructor(clock: Clock, entries: number) {
    this.#clock = clock;
    this.#entries = entries;
  }

  /** The value and how many seconds it is good for. */
  get(key: string): { readonly value: Value; readonly seconds: number } | undefined {
    const kept = this.#map.get(key);
    if (kept === undefined) return undefined;
    const leftMs = kept.untilMs - this.#clock.elapsed();
    if (leftMs > 0) return { value: kept.value, seconds: Math.ceil(leftMs / 1_000) };
    this.#map.delete(key);
    return undefined;
  }

  /** Keeps it for so many seconds; 0: not at all. */
  set(key: string, value: Value, seconds: number): void {
    this.#map.delete(key);
    if (seconds <= 0 || this.#entries <= 0) return;
    if (this.#map.size >= this.#entries) {
      const [oldest] = this.#map.keys();
      if (oldest !== undefined) this.#map.delete(oldest);
    }
    this.#map.set(key, { value, untilMs: this.#clock.elapsed() + seconds * 1_000 });
  }
}
