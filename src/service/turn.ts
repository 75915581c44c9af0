/** A long row of answers that are there at once lets other sessions go first now and then. */

import type { Awaitable } from '#base/brand.ts';
import type { Clock } from '#base/world.ts';

/** Work for one session before the others get their turn. */
const TURN_MS = 10;

/** One session's turns: without them a packet of thousands of commands would be one. */
export class Turn {
  readonly #clock: Clock;
  #startedAt = -Infinity;
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer; later, when this turn has been long enough. */
  inTime<T>(answer: Awaitable<T>): Awaitable<T> {
    const now = this.#clock.elapsed();
    if (!this.#running) {
      this.#running = true;
      this.#startedAt = now;
      queueMicrotask(() => {
        this.#running = false;
      });
      return answer;
    }
    if (now - this.#startedAt < TURN_MS) return answer;
    return new Promise((resolve) => {
      this.#clock.after(0, () => resolve(answer));
    });
  }
}
