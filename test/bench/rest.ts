/** Quiet between two measurements: what one server still has to do must not slow down the next. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Group } from './group.ts';

const LOOK_MS = 100;
/** Postern indexes a block within half a second of the last message, and goes on half a second later: longer than both. */
const QUIET_MS = 1_500;
/** Of one core; what ticks in an idle server is less. */
const IDLE_SHARE = 0.05;
const MOST_MS = 120_000;

/** Resolves when none of the servers has used the processor for a while; throws when that never comes. */
export async function atRest(groups: readonly Group[]): Promise<void> {
  const used = (): number => groups.reduce((sum, group) => sum + group.cpuSeconds(), 0);
  const start = performance.now();
  let [before, quietMs] = [used(), 0];
  while (quietMs < QUIET_MS) {
    if (performance.now() - start > MOST_MS) throw new Error('the servers do not come to rest');
    await sleep(LOOK_MS);
    const now = used();
    quietMs = (now - before) * 1_000 < LOOK_MS * IDLE_SHARE ? quietMs + LOOK_MS : 0;
    before = now;
  }
}
