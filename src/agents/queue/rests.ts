/** Which destinations rest: one that cannot be reached is probed, not hammered by every message. */

import type { Domain } from '#base/brand.ts';
import type { RecipientResult } from '../transfer/job.ts';
import type { Schedule } from './schedule.ts';

/** What one job has shown about its destination; `unclear` proves nothing. */
export type Sign = 'reached' | 'unreachable' | 'unclear';

interface Rest {
  failures: number;
  untilMs: number;
  /** Why, for people: `no route to host`. */
  reason: string;
}

/**
 * `open`: nothing known against it. `resting`: nobody tries before `untilMs`. `probe`: the rest is
 * over, one job may try. Times are monotonic. Bounded: the oldest rest is forgotten first, which
 * only means that its destination is tried sooner.
 */
export class Rests {
  readonly #schedule: Schedule;
  readonly #limit: number;
  readonly #rests = new Map<Domain, Rest>();

  constructor(schedule: Schedule, limit: number) {
    this.#schedule = schedule;
    this.#limit = limit;
  }

  get size(): number {
    return this.#rests.size;
  }

  state(domain: Domain, elapsedMs: number): 'open' | 'resting' | 'probe' {
    const rest = this.#rests.get(domain);
    if (rest === undefined) return 'open';
    return elapsedMs < rest.untilMs ? 'resting' : 'probe';
  }

  /** Of a resting destination: for how long still, and why. */
  rest(domain: Domain, elapsedMs: number): { readonly leftMs: number; readonly reason: string } {
    const rest = this.#rests.get(domain);
    if (rest === undefined) return { leftMs: 0, reason: '' };
    return { leftMs: Math.max(0, rest.untilMs - elapsedMs), reason: rest.reason };
  }

  /** Learns from a finished job. Any answer from the other side opens the destination again. */
  learn(domain: Domain, sign: Sign, reason: string, elapsedMs: number): void {
    if (sign === 'reached') this.#rests.delete(domain);
    if (sign !== 'unreachable') return;
    const before = this.#rests.get(domain);
    // Ten jobs that fail together are one failure.
    if (before !== undefined && elapsedMs < before.untilMs) return;
    const failures = Math.min(30, (before?.failures ?? 0) + 1);
    const { restMs, maximalBackoffMs } = this.#schedule;
    const waitMs = Math.min(maximalBackoffMs, restMs * 2 ** (failures - 1));
    this.#rests.delete(domain);
    this.#rests.set(domain, { failures, untilMs: elapsedMs + waitMs, reason });
    if (this.#rests.size > this.#limit) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [oldest] = this.#rests.keys();
    if (oldest !== undefined) this.#rests.delete(oldest);
  }
}

/** No route, no name, no host that answers, no TLS or login there: all but a lost connection. */
const NO_WAY = /^4\.(?:4\.(?!2$)|7\.)/;

/**
 * Reads the results of one job. Unreachable: nobody got through, because no host answered or the
 * one that did closed its door (421). A connection lost in mid-transaction (4.4.2) may be the
 * message's own fault, and so may trouble on our side (4.3.0): these prove nothing, or one bad
 * message would hold back the others.
 */
export function signOf(results: readonly RecipientResult[]): Sign {
  const unreachable = results.filter(isUnreachable).length;
  if (results.length > 0 && unreachable === results.length) return 'unreachable';
  const answered = results.some((result) => result.reply !== undefined && !isUnreachable(result));
  return answered ? 'reached' : 'unclear';
}

function isUnreachable(result: RecipientResult): boolean {
  if (result.kind !== 'deferred') return false;
  if (result.reply !== undefined) return result.reply.code === 421;
  return NO_WAY.test(result.status);
}
