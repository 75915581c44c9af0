/** Chance that can be had again: the same seed gives the same numbers. */

import { createHash } from 'node:crypto';

/** Numbers of at least 0 and below 1. */
export type Chance = () => number;

export function chanceFrom(seed: string): Chance {
  let drawn = 0;
  return () => {
    drawn += 1;
    const digest = createHash('sha256').update(`${seed} ${drawn}`).digest();
    return digest.readUInt32LE(0) / 0x1_0000_0000;
  };
}

export function below(chance: Chance, limit: number): number {
  return Math.floor(chance() * limit);
}

export function oneOf<Value>(chance: Chance, values: readonly Value[]): Value {
  return values[below(chance, values.length)]!;
}

/** So many of them, evenly spread, the first and the last always among them. */
export function spread<Value>(values: readonly Value[], count: number): Value[] {
  if (values.length <= count) return [...values];
  const last = values.length - 1;
  return Array.from(
    { length: count },
    (_, at) => values[Math.round((at * last) / Math.max(1, count - 1))]!,
  );
}
