/** Long work in steps: between two of them everybody else gets their turn. */

import type { Awaitable } from './brand.ts';
import type { Clock } from './world.ts';

/** Work that may be interrupted wherever it yields; no step takes more than some milliseconds. */
export type Work<Result> = Generator<void, Result, void>;

/** How long work goes on before the others get their turn. */
const TURN_MS = 10;

/** Does the work, at once when it is short; else in turns of the event loop. */
export function inTurns<Result>(clock: Clock, work: Work<Result>): Awaitable<Result> {
  const startedAt = clock.elapsed();
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return step.value;
    if (clock.elapsed() - startedAt >= TURN_MS) break;
  }
  return nextTurn(clock).then(() => inTurns(clock, work));
}

/** Does the work without a pause: where it is known to be short. */
export function atOnce<Result>(work: Work<Result>): Result {
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
}

/** Lets the others go first. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(0, resolve);
  });
}
