/** What came in one turn of the event loop: read first, handed on together at the turn's end. */

/**
 * Octets of many connections that came at the same time are all read before the first of them is
 * looked at: then one piece of code after the other goes over all of them while the processor has
 * it at hand. Nothing is waited for, so one connection alone loses nothing.
 */
export class Turn {
  #tasks: (() => void)[] = [];

  /** Runs `task` when everything that has come in this turn was read. */
  add(task: () => void): void {
    if (this.#tasks.length === 0) setImmediate(() => this.#run());
    this.#tasks.push(task);
  }

  #run(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    let done = 0;
    try {
      for (const task of tasks) {
        done += 1;
        task();
      }
    } finally {
      // One that throws takes no other with it.
      for (const task of tasks.slice(done)) this.add(task);
    }
  }
}
