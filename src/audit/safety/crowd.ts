/** Places at one address: a server that takes few of us at once is asked by one probe after another. */

import type { Clock } from '#base/world.ts';

/** Who holds connections: one probe's network. */
export type Holder = object;

interface Waiting {
  readonly holder: Holder;
  readonly enter: () => void;
}

/** Who holds a connection and wants another waits no longer: it may be waiting for itself. */
const OWN_WAIT_MS = 500;
/** Behind a refusal nobody comes at once; each refusal in a row doubles it. */
const PAUSE = { firstMs: 100, mostMs: 1_000 };
/** Refusals in a row after which it is no crowd: the server means us. */
const HOPELESS = 10;
/** A probe may hold two connections, and one more may still be closing. */
const OF_A_PROBE = 3;
/** Connections served in a row before one more at once is dared. */
const CALM = 8;

/**
 * Counts who holds connections to one address. Until a server refuses one for being too many,
 * everybody enters; from then on so many connections as it bore, and where that are few one probe
 * after the other. Nobody waits long for a place beside one of its own, so that no two wait for
 * each other. After a while without a refusal one more is dared again.
 */
export class Crowd {
  readonly #clock: Clock;
  readonly #held = new Map<Holder, number>();
  readonly #waiting: Waiting[] = [];
  #bears: number | undefined;
  #open = 0;
  #refusals = 0;
  #served = 0;
  #nextMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many connections at once the server was seen to bear; undefined: all that were tried. */
  get bears(): number | undefined {
    return this.#bears;
  }

  /** Whether it makes sense to come again after a refusal. */
  get hopeless(): boolean {
    return this.#refusals >= HOPELESS;
  }

  /** Resolves when the holder may connect; `leave` gives the place back. */
  async enter(holder: Holder): Promise<void> {
    if (this.#mayEnter(holder)) this.#take(holder);
    else await this.#wait(holder);
    const pauseMs = this.#nextMs - this.#clock.elapsed();
    if (pauseMs >= 1) {
      await new Promise<void>((resolve) => void this.#clock.after(pauseMs, resolve));
    }
  }

  leave(holder: Holder): void {
    const held = this.#held.get(holder) ?? 0;
    this.#open -= 1;
    if (held > 1) this.#held.set(holder, held - 1);
    else this.#held.delete(holder);
    this.#letIn();
  }

  /** A connection was refused for being too many (421, closed unasked); its place is still held. */
  refused(): void {
    this.#bears = Math.max(1, Math.min(this.#bears ?? this.#open, this.#open - 1));
    this.#refusals += 1;
    this.#served = 0;
    const pauseMs = Math.min(PAUSE.mostMs, PAUSE.firstMs * 2 ** (this.#refusals - 1));
    if (!this.hopeless) this.#nextMs = this.#clock.elapsed() + pauseMs;
  }

  /** A connection was greeted as it should be. */
  served(): void {
    this.#refusals = 0;
    this.#served += 1;
    if (this.#bears !== undefined && this.#served % CALM === 0) this.#bears += 1;
  }

  #mayEnter(holder: Holder): boolean {
    if (this.#bears === undefined) return true;
    if (this.#open >= this.#bears) return false;
    const alone = this.#bears <= OF_A_PROBE;
    return this.#held.size === 0 || !alone || this.#held.has(holder);
  }

  #take(holder: Holder): void {
    this.#open += 1;
    this.#held.set(holder, (this.#held.get(holder) ?? 0) + 1);
  }

  async #wait(holder: Holder): Promise<void> {
    const place = Promise.withResolvers<void>();
    const waiting = { holder, enter: place.resolve };
    this.#waiting.push(waiting);
    const own = this.#held.has(holder);
    const timer = own ? this.#clock.after(OWN_WAIT_MS, () => this.#insist(waiting)) : undefined;
    await place.promise;
    timer?.cancel();
  }

  #insist(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at < 0 || !this.#held.has(waiting.holder)) return;
    this.#waiting.splice(at, 1);
    this.#take(waiting.holder);
    waiting.enter();
  }

  /** In the order they came, whoever may. */
  #letIn(): void {
    for (let at = 0; at < this.#waiting.length;) {
      const waiting = this.#waiting[at];
      if (waiting === undefined || !this.#mayEnter(waiting.holder)) {
        at += 1;
        continue;
      }
      this.#waiting.splice(at, 1);
      this.#take(waiting.holder);
      waiting.enter();
    }
  }
}
