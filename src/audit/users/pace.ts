/** How hard a server may be asked: learnt from its tarpit and its 421s, halved when it complains. */

export interface PaceOptions {
  /** Errors per connection to begin with: one below the limits that are usual. Default 9. */
  readonly perConnection?: number;
  /** Connections at the same time. Default 8. */
  readonly parallel?: number;
}

/** An answer later than this, behind quick ones, was held back on purpose. */
const HELD_MS = 400;
/** A whole second is nobody's scheduler. */
const CERTAIN_MS = 900;
const MOST_ERRORS = 40;

export class Pace {
  perConnection: number;
  parallel: number;
  /** Errors after which it began to hold answers back, once seen; 1: it always does. */
  tarpitAt: number | undefined;
  /** Errors after which it closed or said 421, once seen. */
  limitAt: number | undefined;
  #doubts = 0;
  #scouted = false;

  constructor(options: PaceOptions = {}) {
    this.perConnection = options.perConnection ?? 9;
    this.parallel = options.parallel ?? 8;
  }

  /** Whether this session shall find out where the server's patience ends; true once. */
  scout(names: number): boolean {
    if (this.#scouted || names < 60) return false;
    this.#scouted = true;
    return true;
  }

  get scoutErrors(): number {
    return MOST_ERRORS;
  }

  /** An error's answer took `ms`, being error number `errors` on its connection. */
  answered(ms: number, errors: number): void {
    if (ms < HELD_MS) return;
    this.#doubts += 1;
    if (ms < CERTAIN_MS && this.#doubts < 3) return;
    if (this.tarpitAt === undefined || errors < this.tarpitAt) this.tarpitAt = errors;
    // From the first error on: new connections would gain nothing.
    if (this.tarpitAt > 1) this.perConnection = Math.min(this.perConnection, this.tarpitAt - 1);
  }

  /** The server ended a connection, or refused to go on, after so many errors. */
  limited(errors: number): void {
    if (errors < 2) {
      this.crowded();
      return;
    }
    this.limitAt = Math.min(this.limitAt ?? errors, errors);
    const half = Math.max(1, Math.floor(Math.min(errors, this.perConnection) / 2));
    this.perConnection = Math.min(this.perConnection, half);
  }

  /** A scouting session got through: so many are free. */
  patient(errors: number): void {
    if (this.tarpitAt !== undefined || this.limitAt !== undefined) return;
    this.perConnection = Math.max(this.perConnection, errors);
  }

  /** A connection was refused, or ended before it was of use: fewer at once. */
  crowded(): void {
    this.parallel = Math.max(1, Math.floor(this.parallel / 2));
  }
}
