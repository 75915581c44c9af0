/** Answers kept until their time to live ends; the oldest go when there are too many, or too large. */

import type { Clock } from '#base/world.ts';

export interface CacheLimits {
  readonly entries: number;
  /** Octets of all values together, as who puts them in counts them. */
  readonly bytes: number;
}

interface Kept<Value> {
  readonly value: Value;
  readonly untilMs: number;
  readonly bytes: number;
}

/** A bounded map with an end for each value, on the monotonic clock. */
export class TtlCache<Value> {
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  readonly #map = new Map<string, Kept<Value>>();
  #bytes = 0;

  constructor(clock: Clock, limits: CacheLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The value and how many seconds it is good for. */
  get(key: string): { readonly value: Value; readonly seconds: number } | undefined {
    const kept = this.#map.get(key);
    if (kept === undefined) return undefined;
    const leftMs = kept.untilMs - this.#clock.elapsed();
    if (leftMs > 0) return { value: kept.value, seconds: Math.ceil(leftMs / 1_000) };
    this.#forget(key);
    return undefined;
  }

  /** Keeps it for so many seconds; 0: not at all. */
  set(key: string, value: Value, seconds: number, bytes: number): void {
    this.#forget(key);
    const limits = this.#limits;
    if (seconds <= 0 || limits.entries <= 0 || bytes > limits.bytes) return;
    for (const oldest of this.#map.keys()) {
      if (this.#map.size < limits.entries && this.#bytes + bytes <= limits.bytes) break;
      this.#forget(oldest);
    }
    this.#bytes += bytes;
    this.#map.set(key, { value, untilMs: this.#clock.elapsed() + seconds * 1_000, bytes });
  }

  #forget(key: string): void {
    this.#bytes -= this.#map.get(key)?.bytes ?? 0;
    this.#map.delete(key);
  }
}
