/** How long the wall clock and the monotonic clock have agreed: the age of a trustworthy time. */

import type { Clock } from '#base/world.ts';

/** Corrections of a clock that is kept in step stay far below this. */
const JUMP_MS = 60_000;

export class SteadyTime {
  readonly #clock: Clock;
  #sinceMs: number;
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.elapsed();
    this.#offsetMs = clock.now() - clock.elapsed();
  }

  /** Looks at both clocks: milliseconds since the last jump (suspension, a hand, a bad server). */
  look(): { readonly steadyMs: number; readonly jumpMs: number } {
    const elapsedMs = this.#clock.elapsed();
    const offsetMs = this.#clock.now() - elapsedMs;
    const jumpMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(jumpMs) < JUMP_MS) return { steadyMs: elapsedMs - this.#sinceMs, jumpMs: 0 };
    this.#sinceMs = elapsedMs;
    return { steadyMs: 0, jumpMs };
  }
}
