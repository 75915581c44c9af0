/** Who may try to log in now: failures counted by network and by network and account. */

import type { Clock } from '#base/world.ts';
import type { ClientNetwork } from './prefix.ts';

export interface AttemptLimits {
  /** Failures that cost no waiting: of one network at one account. */
  readonly pairFree: number;
  /** Failures that cost no waiting: of one network, at all accounts together. */
  readonly prefixFree: number;
  /** The same for a wider network, where there is one. */
  readonly wideFree: number;
  /** The first wait; each further failure doubles it. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Failures are forgotten this long after the last one. */
  readonly forgetMs: number;
  /** A network where an account logged in is known to be its owner's for this long. */
  readonly trustMs: number;
  /** Networks and pairs remembered; the ones idle for longest go first. */
  readonly entries: number;
  /** Wrong passwords of a pair that are recognised when they come again. */
  readonly knownWrong: number;
}

export const ATTEMPT_LIMITS: AttemptLimits = {
  pairFree: 10,
  prefixFree: 50,
  wideFree: 200,
  firstWaitMs: 1_000,
  longestWaitMs: 900_000,
  forgetMs: 3_600_000,
  trustMs: 2_592_000_000,
  entries: 100_000,
  knownWrong: 4,
};

interface Tally {
  failures: number;
  lastMs: number;
  waitUntilMs: number;
  trustedUntilMs: number;
  wrong: string[];
}

/**
 * Counts are kept by network, and by network with account; never by account alone: else any
 * stranger could lock its owner out. An attempt is charged before it is verified, so that
 * parallel guesses cannot overtake the count, and given back when it was right.
 */
export class Attempts {
  readonly #clock: Pick<Clock, 'elapsed'>;
  readonly #limits: AttemptLimits;
  /** Least recently used first. */
  readonly #tallies = new Map<string, Tally>();

  constructor(clock: Pick<Clock, 'elapsed'>, limits: AttemptLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Milliseconds until this network may try this login (known or not) again; 0: now. */
  waitMs(network: ClientNetwork, login: string): number {
    const now = this.#clock.elapsed();
    const pair = this.#find(pairKey(network, login));
    const pairWait = Math.max(0, (pair?.waitUntilMs ?? 0) - now);
    // Where an account logged in before, strangers behind the same network do not stop it.
    if (pair !== undefined && pair.trustedUntilMs > now) return pairWait;
    const waits = this.#networks(network).map(([key]) => this.#find(key)?.waitUntilMs ?? 0);
    return Math.max(pairWait, ...waits.map((until) => until - now));
  }

  /** Counts an attempt as failed, until it is given back. */
  charge(network: ClientNetwork, login: string): void {
    this.#fail(this.#touch(pairKey(network, login)), this.#limits.pairFree);
    for (const [key, free] of this.#networks(network)) this.#fail(this.#touch(key), free);
  }

  /** Takes one charge back: nothing was learned from the attempt. */
  refund(network: ClientNetwork, login: string): void {
    this.#forgive(this.#find(pairKey(network, login)), this.#limits.pairFree);
    for (const [key, free] of this.#networks(network)) this.#forgive(this.#find(key), free);
  }

  /**
   * A charged attempt was right: the pair starts anew and is trusted; the network gets this one
   * charge back and no more, or an own account would buy guesses at all others.
   */
  succeeded(network: ClientNetwork, login: string): void {
    this.refund(network, login);
    this.trusted(network, login);
  }

  /** The pair starts anew; for a login that was not charged. */
  trusted(network: ClientNetwork, login: string): void {
    const pair = this.#touch(pairKey(network, login));
    pair.failures = 0;
    pair.waitUntilMs = 0;
    pair.trustedUntilMs = this.#clock.elapsed() + this.#limits.trustMs;
  }

  /** A program that repeats one old password guesses nothing: remembered, not counted again. */
  rememberWrong(network: ClientNetwork, login: string, digest: string): void {
    const pair = this.#touch(pairKey(network, login));
    pair.wrong = [...pair.wrong, digest].slice(-this.#limits.knownWrong);
  }

  isKnownWrong(network: ClientNetwork, login: string, digest: string): boolean {
    return this.#find(pairKey(network, login))?.wrong.includes(digest) ?? false;
  }

  get size(): number {
    return this.#tallies.size;
  }

  /** The networks that are counted as a whole, with their free failures. */
  #networks({ narrow, wide }: ClientNetwork): (readonly [key: string, free: number])[] {
    const { prefixFree, wideFree } = this.#limits;
    return wide === undefined
      ? [[narrow, prefixFree]]
      : [
          [narrow, prefixFree],
          [wide, wideFree],
        ];
  }

  #fail(tally: Tally, free: number): void {
    tally.failures += 1;
    const over = tally.failures - free;
    if (over < 0) return;
    const { firstWaitMs, longestWaitMs } = this.#limits;
    const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(over, 30));
    tally.waitUntilMs = this.#clock.elapsed() + wait;
  }

  #forgive(tally: Tally | undefined, free: number): void {
    if (tally === undefined) return;
    tally.failures = Math.max(0, tally.failures - 1);
    if (tally.failures < free) tally.waitUntilMs = 0;
  }

  #find(key: string): Tally | undefined {
    const tally = this.#tallies.get(key);
    if (tally === undefined) return undefined;
    if (this.#clock.elapsed() - tally.lastMs > this.#limits.forgetMs) {
      tally.failures = 0;
      tally.waitUntilMs = 0;
      tally.wrong = [];
    }
    return tally;
  }

  #touch(key: string): Tally {
    const tally = this.#find(key) ?? newTally();
    tally.lastMs = this.#clock.elapsed();
    this.#tallies.delete(key);
    this.#tallies.set(key, tally);
    for (const oldest of this.#tallies.keys()) {
      if (this.#tallies.size <= this.#limits.entries) break;
      this.#tallies.delete(oldest);
    }
    return tally;
  }
}

/** A network has no space in it, so the two parts cannot run into each other. */
function pairKey(network: ClientNetwork, login: string): string {
  return `${network.narrow} ${login}`;
}

function newTally(): Tally {
  return { failures: 0, lastMs: 0, waitUntilMs: 0, trustedUntilMs: 0, wrong: [] };
}
