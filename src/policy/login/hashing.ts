/** How many hashes run at once, and how many may wait: a flood of logins must not eat the host. */

import { Failure } from '#base/failure.ts';

export interface HashQueueOptions {
  /** Hashes at the same time; each takes a core and its memory. */
  readonly concurrency: number;
  /** Further ones that wait; beyond that a login fails temporarily. */
  readonly waiting: number;
}

export class HashQueue {
  readonly #options: HashQueueOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: HashQueueOptions) {
    this.#options = options;
  }

  /** Runs `task` when its turn comes. Throws a temporary Failure `login-busy` when full. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.concurrency) {
      if (this.#waiting.length >= this.#options.waiting) {
        throw Failure.temporary('login-busy', 'too many logins at once, try again');
      }
      // Whoever ends hands its place over, so the place is never free in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
