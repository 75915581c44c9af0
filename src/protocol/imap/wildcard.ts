/** LIST patterns: `*` matches anything, `%` anything within a level; no pattern is expensive. */

import { DELIMITER } from './mailbox-name.ts';

/**
 * Whether a name matches. Walks the name once with the set of places that the pattern can be
 * at, so the work is at most name times pattern, whatever the wildcards (RFC 3501 6.3.8).
 */
export function matchesPattern(name: string, pattern: string): boolean {
  const steps = squeeze(pattern);
  let places = new Uint8Array(steps.length + 1);
  let next = new Uint8Array(steps.length + 1);
  reach(places, 0, steps);
  for (const character of name) {
    let alive = false;
    for (let place = 0; place < steps.length; place++) {
      if (places[place] === 0) continue;
      const step = steps[place];
      const stays = step === '*' || (step === '%' && character !== DELIMITER);
      if (!stays && step !== character) continue;
      reach(next, stays ? place : place + 1, steps);
      alive = true;
    }
    if (!alive) return false;
    [places, next] = [next, places];
    next.fill(0);
  }
  return places[steps.length] === 1;
}

/** A run of wildcards is one: `*` if it has one. */
function squeeze(pattern: string): readonly string[] {
  return [...pattern.replace(/[%*]+/g, (run) => (run.includes('*') ? '*' : '%'))];
}

/** Marks a place and those that are reached from it by wildcards that match nothing. */
function reach(places: Uint8Array, from: number, steps: readonly string[]): void {
  for (let place = from; places[place] === 0; place++) {
    places[place] = 1;
    if (steps[place] !== '*' && steps[place] !== '%') break;
  }
}
