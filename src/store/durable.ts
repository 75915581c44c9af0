/** The proof that a commit has reached the disk: no 250, OK or +OK to a change without one. */

/** Made only by the engine's writer, after the commit (a law test reads who calls `committed`). */
export class Durable {
  readonly #sequence: number;

  private constructor(sequence: number) {
    this.#sequence = sequence;
  }

  static committed(sequence: number): Durable {
    return new Durable(sequence);
  }

  /** The number of the commit, growing with each one of this process. */
  get sequence(): number {
    return this.#sequence;
  }
}

/** The result of a write together with the proof that it is on disk. */
export interface Committed<Result> {
  readonly durable: Durable;
  readonly result: Result;
}
