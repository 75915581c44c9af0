/** How much somebody may do in a while: one number for each, for a bounded number of them. */

import type { Clock } from '#base/world.ts';

export interface BudgetOptions {
  readonly clock: Pick<Clock, 'elapsed'>;
  /** Units in a period; 0: no limit. */
  readonly units: number;
  readonly periodMs: number;
  /** Names kept apart; whoever was idle for longest is forgotten first. Default 100,000. */
  readonly entries?: number;
}

const ENTRIES = 100_000;

/**
 * A leaky bucket for each name: up to `units` at once, and as many again in each period. Kept as
 * the time at which all that was taken will have been given back, so that nothing runs meanwhile.
 */
export class Budget {
  readonly #options: BudgetOptions;
  /** Least recently used first. */
  readonly #full = new Map<string, number>();

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** Takes units if they are there: 0, or the milliseconds until they will be; then none is taken. */
  take(name: string, units = 1): number {
    const waitMs = this.waitMs(name, units);
    if (waitMs === 0) this.charge(name, units);
    return waitMs;
  }

  /** Milliseconds until so many units are there. */
  waitMs(name: string, units = 1): number {
    const { units: most, periodMs } = this.#options;
    if (most === 0) return 0;
    return Math.max(0, Math.ceil(this.#taken(name) + (units * periodMs) / most - periodMs));
  }

  /** Takes units although they may not be there: at most two periods' worth are owed. */
  charge(name: string, units = 1): void {
    const { clock, units: most, periodMs, entries = ENTRIES } = this.#options;
    if (most === 0) return;
    const taken = Math.min(this.#taken(name) + (units * periodMs) / most, 2 * periodMs);
    this.#full.delete(name);
    this.#full.set(name, clock.elapsed() + taken);
    for (const oldest of this.#full.keys()) {
      if (this.#full.size <= entries) break;
      this.#full.delete(oldest);
    }
  }

  /** Units that are taken right now. */
  used(name: string): number {
    const { units, periodMs } = this.#options;
    return (this.#taken(name) * units) / periodMs;
  }

  get size(): number {
    return this.#full.size;
  }

  /** What is taken, as milliseconds until all of it is given back. */
  #taken(name: string): number {
    return Math.max(0, (this.#full.get(name) ?? 0) - this.#options.clock.elapsed());
  }
}
