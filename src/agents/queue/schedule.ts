/** When mail is tried again and when it is given up: wall clock times that survive a wrong clock. */

import type { Random } from '#base/world.ts';
import type { QueuedMessage, QueuedRecipient } from '#store/queue.ts';

/** Postfix' minimal_backoff_time and its kin; how long a row lives stands in the row itself. */
export interface Schedule {
  readonly minimalBackoffMs: number;
  readonly maximalBackoffMs: number;
  /** When the sender is told that mail is still waiting; 0: never. */
  readonly delayWarningMs: number;
  /** The first rest of a destination that could not be reached; doubles to maximalBackoffMs. */
  readonly restMs: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const SCHEDULE: Schedule = {
  minimalBackoffMs: 300_000,
  maximalBackoffMs: 4_000_000,
  delayWarningMs: 4 * HOUR,
  restMs: 60_000,
};

/** How long to wait after try number `attempts` (from 1): doubled each time, up to the maximum. */
export function backoffMs(schedule: Schedule, attempts: number): number {
  const doublings = Math.min(30, Math.max(0, attempts - 1));
  return Math.min(schedule.maximalBackoffMs, schedule.minimalBackoffMs * 2 ** doublings);
}

/** `ms` and up to a tenth more, so that what failed together does not come back together. */
export function jittered(ms: number, random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return Math.round(ms + (ms * (high * 256 + low)) / 655_360);
}

/**
 * Whether a row that has just failed again is to be given up. The wall clock alone does not
 * decide: a clock that jumped ahead, or a machine that was off for a week, must not return mail
 * that was hardly tried. So half a life is asked for in earnest as well: in tries that were made,
 * or in time that this process has seen pass steadily. A clock that fell back behind the arrival
 * cannot say anything: then the tries of a whole life decide.
 */
export function isOver(
  schedule: Schedule,
  message: Pick<QueuedMessage, 'acceptedMs'>,
  row: Pick<QueuedRecipient, 'attempts' | 'expiresMs'>,
  time: { readonly nowMs: number; readonly steadyMs: number },
): boolean {
  const lifeMs = Math.max(0, row.expiresMs - message.acceptedMs);
  const tries = row.attempts + 1;
  if (time.nowMs < message.acceptedMs - DAY) return tries >= triesWithin(schedule, lifeMs);
  if (time.nowMs < row.expiresMs) return false;
  return time.steadyMs >= lifeMs / 2 || tries >= triesWithin(schedule, lifeMs / 2);
}

/** When a row is tried next; the last try is at the very end of its life. */
export function nextTry(
  row: Pick<QueuedRecipient, 'expiresMs'>,
  nowMs: number,
  waitMs: number,
): number {
  const next = nowMs + waitMs;
  return nowMs < row.expiresMs ? Math.min(next, row.expiresMs) : next;
}

/**
 * Nothing is planned further ahead than this: a row that lies beyond was put there by a clock
 * that has since been set back, and is tried now.
 */
export function horizonMs(schedule: Schedule): number {
  return 2 * Math.max(schedule.maximalBackoffMs, schedule.minimalBackoffMs);
}

/** How many tries the back-off leaves room for within `spanMs`, the first one included. */
function triesWithin(schedule: Schedule, spanMs: number): number {
  let tries = 1;
  let atMs = backoffMs(schedule, 1);
  while (atMs <= spanMs && backoffMs(schedule, tries) < schedule.maximalBackoffMs) {
    tries += 1;
    atMs += backoffMs(schedule, tries);
  }
  if (atMs > spanMs) return tries;
  return tries + 1 + Math.floor((spanMs - atMs) / Math.max(1, schedule.maximalBackoffMs));
}
