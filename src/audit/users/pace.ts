/** How hard a server may be asked: learnt from its tarpit and its 421s, halved when it complains. */

export interface PaceOptions {
  /** Errors per connection to begin with: one below the limits that are usual. Default 9. */
  readonly perConnection?: number;
  /** Connections at the same time. Default 6: more of them only make a server change about. */
  readonly parallel?: number;
  /** A first error that late: those behind it may not be heard in time. Default: never. */
  readonly slowMs?: number;
}

/**
 * From when on a first error is slow: the next may take twice as long (Courier: 8 s, 16 s, 32 s), and
 * would not be heard within `replyMs`.
 */
export function slowFor(replyMs: number): number {
  return replyMs / 2;
}

/** An answer later than this, behind quick ones, was held back on purpose. */
const HELD_MS = 400;
const MOST_ERRORS = 40;
/** Fruitful connections in a row before one more at once. */
const CALM = 4;

export class Pace {
  perConnection: number;
  parallel: number;
  /** Errors after which it began to hold answers back, once seen; 1: it always does. */
  tarpitAt: number | undefined;
  /** Errors after which it closed or said 421, once seen. */
  limitAt: number | undefined;
  /** By number of the error: connections that got so far, and those first held back there. */
  readonly #reached: number[] = [];
  readonly #seen: number[] = [];
  #scouted = false;
  #slow = false;

  readonly #most: number;
  readonly #slowMs: number;
  #calm = 0;

  constructor(options: PaceOptions = {}) {
    this.#most = options.parallel ?? 6;
    this.#slowMs = options.slowMs ?? Infinity;
    this.perConnection = options.perConnection ?? 9;
    this.parallel = this.#most;
  }

  /** Whether this session shall find out where the server's patience ends; true once. */
  scout(names: number): boolean {
    if (this.#scouted || names < 60) return false;
    this.#scouted = true;
    return true;
  }

  /** The first error of a connection was held back for so long that there had better be no second. */
  get isSlow(): boolean {
    return this.#slow;
  }

  get scoutErrors(): number {
    return MOST_ERRORS;
  }

  /**
   * A connection's errors and how long each answer took. A tarpit holds back every error from one
   * on; a busy machine holds back any: so two in a row, or the same place again and again.
   */
  heard(errorsMs: readonly number[]): void {
    if ((errorsMs[0] ?? 0) >= this.#slowMs) this.#slowDown();
    let first = errorsMs.length;
    while (first > 0 && (errorsMs[first - 1] ?? 0) >= HELD_MS) first -= 1;
    const held = errorsMs.length - first;
    for (let at = 1; at <= errorsMs.length; at += 1) {
      this.#reached[at] = (this.#reached[at] ?? 0) + 1;
    }
    if (held === 0) return;
    const at = first + 1;
    this.#seen[at] = (this.#seen[at] ?? 0) + 1;
    const often =
      (this.#seen[at] ?? 0) >= 3 && (this.#seen[at] ?? 0) * 2 >= (this.#reached[at] ?? 0);
    if (held < 2 && !often) return;
    if (this.tarpitAt !== undefined && this.tarpitAt <= at) return;
    this.tarpitAt = at;
    // From the first error on: new connections would gain nothing.
    if (at > 1) this.perConnection = Math.min(this.perConnection, at - 1);
  }

  /**
   * The scout was held back at this error. The one before it is answered at once, but Postfix then
   * holds back whatever comes next, QUIT too, and counts the connection that long: one less.
   */
  scouted(errors: number): void {
    if (this.tarpitAt !== undefined || this.limitAt !== undefined) return;
    this.tarpitAt = errors;
    this.perConnection = Math.max(this.perConnection, errors - 2);
  }

  /** The server ended a connection, or refused to go on, after so many errors. */
  limited(errors: number): void {
    if (this.#slow) return;
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

  /** A connection brought answers: after some of them one more at once is dared again. */
  useful(): void {
    this.#calm += 1;
    if (this.#calm % CALM === 0) this.parallel = Math.min(this.#most, this.parallel + 1);
  }

  /** A connection was refused, or ended before it was of use: fewer at once. */
  crowded(): void {
    this.#calm = 0;
    this.parallel = Math.max(1, Math.floor(this.parallel / 2));
  }

  /** One error a connection, and as many connections as may be: what is waited for costs nobody. */
  #slowDown(): void {
    if (this.#slow) return;
    this.#slow = true;
    this.tarpitAt = 1;
    this.perConnection = 1;
    this.parallel = this.#most;
  }
}
