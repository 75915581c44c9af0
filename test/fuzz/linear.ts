/** The complexity gate: no hostile shape may cost more than its size, for any parser it reaches. */

import { setTimeout as sleep } from 'node:timers/promises';

/** A shape at a size, and what reads it. */
export interface Shape {
  readonly name: string;
  /** The parser that is timed. */
  readonly parser: string;
  /** Input of size about `n`, made outside of the measurement. */
  make(n: number): unknown;
  read(input: never): unknown;
  /** The middle size; runs are made with half of it and twice of it. */
  readonly n: number;
}

export interface Measured {
  readonly shape: Shape;
  /** time(4m)/time(m), with m half of the shape's n. */
  readonly ratio: number;
  readonly mostMs: number;
  readonly passed: boolean;
}

/** Two doublings, at most 2.5 times the time each (R7). */
export const RATIO = 2.5 ** 2;
/** Below this a ratio says more of the machine than of the parser. */
const CHEAP_MS = 0.4;
const ATTEMPTS = 6;
/** Further attempts, apart in time: a machine short of memory at hand is so for a while. */
const PATIENCE_MS = 1_500;
const PAUSE_MS = 10;

/** Declares a shape: what is made once is read often. */
export function shape<Input>(
  parser: string,
  name: string,
  n: number,
  make: (n: number) => Input,
  read: (input: Input) => unknown,
): Shape {
  return { parser, name, n, make, read: read as (input: never) => unknown };
}

/** Times a shape; a bad ratio is measured again, since what else the machine does only adds. */
export async function measure(one: Shape): Promise<Measured> {
  const small = one.make(Math.max(1, Math.floor(one.n / 2))) as never;
  const large = one.make(one.n * 2) as never;
  // One lucky small run must not condemn the large ones, nor disturbed ones acquit them.
  const usual = [await time(one, small, 3)];
  let most = await time(one, large, 2);
  const ratio = (): number => most / lowerQuartile(usual);
  const bad = (): boolean => most > CHEAP_MS && ratio() >= RATIO;
  const until = performance.now() + PATIENCE_MS;
  for (let attempt = 0; bad() && (attempt < ATTEMPTS || performance.now() < until); attempt += 1) {
    if (attempt >= ATTEMPTS) await sleep(PAUSE_MS);
    most = Math.min(most, await time(one, large, 2));
    usual.push(await time(one, small, 3));
  }
  return { shape: one, ratio: ratio(), mostMs: most, passed: !bad() };
}

/** A time that a quarter of the runs reach. */
function lowerQuartile(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[(times.length - 1) >> 2] ?? Infinity;
}

/** The least time of several runs, of CPU where it is long enough to be counted. */
async function time(one: Shape, input: never, runs: number): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const cpu = process.threadCpuUsage();
    const before = performance.now();
    const work = one.read(input);
    if (work instanceof Promise) await work;
    const wall = performance.now() - before;
    const used = process.threadCpuUsage(cpu);
    const cpuMs = (used.user + used.system) / 1_000;
    least = Math.min(least, cpuMs > 1 ? Math.min(cpuMs, wall) : wall);
  }
  return least;
}
