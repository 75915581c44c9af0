/** So many at a time, so many waiting, first come first served. */

export class Turnstile {
  readonly #maxWaiting: number;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(places: number, maxWaiting: number) {
    this.#free = places;
    this.#maxWaiting = maxWaiting;
  }

  /** True: in, and `leave` must follow. False: too many wait already. */
  async enter(): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    if (this.#waiting.size >= this.#maxWaiting) return false;
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
    return true;
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    // The place goes over to the one who waited longest.
    this.#waiting.delete(next);
    next();
  }
}
