/** A clock that stands still until a test moves it: long timeouts in no time. */

import type { Clock } from '#base/world.ts';

export interface VirtualClock extends Clock {
  /** Lets time pass; timers that fall due run in order, each at its time. */
  pass(ms: number): void;
  /** Timers that have not run and were not cancelled. */
  readonly pending: number;
}

/** A clock that starts at `startMs` of the wall clock, and at 0 elapsed. */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let elapsed = 0;
  const timers = new Set<{ readonly atMs: number; readonly task: () => void }>();
  return {
    now: () => startMs + elapsed,
    elapsed: () => elapsed,
    after(ms, task) {
      const timer = { atMs: elapsed + ms, task };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    pass(ms) {
      const until = elapsed + ms;
      for (;;) {
        const due = [...timers].filter((timer) => timer.atMs <= until);
        const [next] = due.toSorted((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        elapsed = Math.max(elapsed, next.atMs);
        timers.delete(next);
        next.task();
      }
      elapsed = until;
    },
    get pending() {
      return timers.size;
    },
  };
}
