/** What is done now and then while the server runs: old records go, own certificates are renewed. */

import { Failure } from '#base/failure.ts';
import type { Clock, Log, Timer } from '#base/world.ts';
import type { Store } from '#store/store.ts';

export interface Chores {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledgerDays: number;
  /** Renews certificates of our own when they near their end. */
  readonly renew: () => Promise<unknown>;
}

const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;

/** Begins; returns how to end. A chore that fails is logged and tried again next time. */
export function keepHouse(chores: Chores): () => void {
  const { store, clock, log, ledgerDays, renew } = chores;
  let timer: Timer;
  const work = async (): Promise<void> => {
    try {
      const { result } = await store.write('sweep', { nowMs: clock.now(), ledgerDays });
      log.event('debug', 'swept', { contents: result.contents, entries: result.entries });
      await renew();
    } catch (thrown) {
      log.event('warn', 'housekeeping-failed', { reason: Failure.from(thrown).message });
    }
  };
  const arm = (ms: number): void => {
    timer = clock.after(ms, () => {
      void work();
      arm(EVERY_MS);
    });
  };
  arm(FIRST_MS);
  return () => timer.cancel();
}
