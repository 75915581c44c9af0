/** The system's clock: wall time, monotonic time and timers that do not keep the process up. */

import type { Clock, Timer } from '#base/world.ts';

/** Longer waits overflow the runtime's timer and would fire at once: they are cut in pieces. */
const LONGEST_MS = 2_000_000_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (ms, task) => new SystemTimer(ms, task),
};

class SystemTimer implements Timer {
  readonly #task: () => void;
  #leftMs: number;
  #timeout: NodeJS.Timeout;

  constructor(ms: number, task: () => void) {
    this.#task = task;
    this.#leftMs = Number.isNaN(ms) ? 0 : Math.max(0, ms);
    this.#timeout = this.#next();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #next(): NodeJS.Timeout {
    const step = Math.min(this.#leftMs, LONGEST_MS);
    this.#leftMs -= step;
    const timeout = setTimeout(() => this.#fire(), Math.ceil(step));
    timeout.unref();
    return timeout;
  }

  #fire(): void {
    if (this.#leftMs > 0) this.#timeout = this.#next();
    else this.#task();
  }
}
