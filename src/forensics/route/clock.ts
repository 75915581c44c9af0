/** Clocks of hosts: how far each seems to be off, and which delays mean anything. */

import type { Hop } from './route.ts';

/** The time from one hop to the next newer one, with how wrong it may be. */
export interface Delay {
  /** Of the newer hop. */
  readonly number: number;
  readonly ms: number;
  /** Plus or minus: what the two clocks may differ by. */
  readonly toleranceMs: number;
  /** It went backwards further than clocks explain. */
  readonly impossible: boolean;
}

export interface HostClock {
  readonly host: string;
  /** How far the clock is ahead of its neighbours, by the median. */
  readonly skewMs: number;
  readonly toleranceMs: number;
  readonly observations: number;
}

const OBSERVATIONS = 200;
const HOSTS = 5_000;
const DAY_MS = 86_400_000;
/** Clocks that are kept by NTP differ by less, and Received has no fractions. */
const BASE_MS = 5_000;
/** A host that was seen once explains no more than this. */
const ONCE_MS = 300_000;
const MAD_TO_DEVIATION = 1.4826;

/**
 * Learns from the hops of any number of messages. A host's skew is the median of how far its
 * times lie from the median time of their message: one forged line, or one long wait in a queue,
 * moves it little.
 */
export class ClockModel {
  readonly #seen = new Map<string, number[]>();
  readonly #known = new Map<string, HostClock>();

  observe(hops: readonly Hop[]): void {
    const times = timesOf(hops);
    if (times.length < 3) return;
    const middle = median(times.map(({ ms }) => ms));
    for (const { host, ms } of times) {
      const offset = ms - middle;
      if (Math.abs(offset) > DAY_MS) continue;
      let list = this.#seen.get(host);
      if (list === undefined && this.#seen.size < HOSTS) this.#seen.set(host, (list = []));
      if (list !== undefined && list.length < OBSERVATIONS) list.push(offset);
    }
  }

  clockOf(host: string): HostClock {
    const offsets = this.#seen.get(host) ?? [];
    if (offsets.length === 0) return { host, skewMs: 0, toleranceMs: BASE_MS, observations: 0 };
    // A median over a tenth more is nearly the same: not worth sorting for each message.
    const known = this.#known.get(host);
    if (known !== undefined && offsets.length < known.observations * 1.1) return known;
    const skewMs = median(offsets);
    const spread = median(offsets.map((offset) => Math.abs(offset - skewMs))) * MAD_TO_DEVIATION;
    const clock: HostClock = {
      host,
      skewMs: Math.round(skewMs),
      toleranceMs: Math.round(Math.max(BASE_MS, spread)),
      observations: offsets.length,
    };
    this.#known.set(host, clock);
    return clock;
  }

  /** Delays between neighbours, newest first; hops without a date are passed over. */
  delays(hops: readonly Hop[]): readonly Delay[] {
    const times = timesOf(hops);
    return times.slice(0, -1).flatMap((newer, at) => {
      const older = times[at + 1];
      if (older === undefined) return [];
      const ms = newer.ms - older.ms;
      const toleranceMs = this.#tolerance(newer.host, older.host);
      return [{ number: newer.number, ms, toleranceMs, impossible: ms < -toleranceMs }];
    });
  }

  #tolerance(a: string, b: string): number {
    const [one, other] = [this.clockOf(a), this.clockOf(b)];
    const base = one.toleranceMs + other.toleranceMs;
    const apart = Math.abs(one.skewMs - other.skewMs);
    const often = one.observations >= 3 && other.observations >= 3;
    return base + (often ? apart : Math.min(apart, ONCE_MS));
  }
}

interface Time {
  readonly number: number;
  readonly host: string;
  readonly ms: number;
}

function timesOf(hops: readonly Hop[]): readonly Time[] {
  return hops.flatMap(({ number, line }) =>
    line.date === undefined ? [] : [{ number, host: line.by?.text ?? '', ms: line.date.ms }],
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}
