/** What the fuzzer knows of a thing under test: how to make input for it, and what must hold. */

import { latin1 } from '#base/bytes.ts';
import type { Chance } from './chance.ts';

/** One execution, complete: all that a run does follows from these two. */
export interface Case {
  /** Seeds options, the host's answers and the places where input is cut. */
  readonly setup: number;
  readonly octets: Uint8Array;
}

/** How a case is cut: in one piece, octet by octet, or where chance has it. */
export type Cutting = 'whole' | 'octets' | Chance;

export interface Target {
  readonly name: string;
  /** Input, before mutation; `seeds` are octets worth starting from. */
  generate(chance: Chance): Uint8Array;
  /** Texts that mutation may put in or splice with. */
  readonly seeds?: readonly string[];
  /** Throws whatever shows that a promise was broken. */
  run(one: Case): void | Promise<void>;
  /** Octets of a case. Default 4096. */
  readonly maxOctets?: number;
}

/** Throws when a property does not hold; `shown` says of what. */
export function must(holds: boolean, property: string, ...shown: readonly unknown[]): void {
  if (!holds) throw new Error([property, ...shown.map(show)].join('\n  '));
}

/** Both the same, as text; the first difference is shown. */
export function same(a: string, b: string, property: string): void {
  if (a === b) return;
  let at = 0;
  while (a[at] === b[at]) at++;
  const around = (text: string): string => text.slice(Math.max(0, at - 120), at + 120);
  must(false, `${property}: differ at ${at}`, around(a), around(b));
}

/** Where to cut `length` octets: whole, octet by octet, or anywhere. */
export function pieces(
  octets: Uint8Array,
  how: Cutting,
  also: readonly number[] = [],
): readonly Uint8Array[] {
  if (how === 'octets') return Array.from(octets, (_, at) => octets.subarray(at, at + 1));
  const cuts = new Set(also);
  if (how !== 'whole') {
    for (let left = how.between(1, 12); left > 0; left--) cuts.add(how.below(octets.length + 1));
  }
  const sorted = [...cuts, octets.length].sort((a, b) => a - b);
  const list: Uint8Array[] = [];
  let from = 0;
  for (const cut of sorted) {
    if (cut > from) list.push(octets.subarray(from, cut));
    from = Math.max(from, cut);
  }
  return list;
}

/** Octets as fields between the separator US, as latin1: structure that can be cut and spliced. */
export function fields(octets: Uint8Array): readonly string[] {
  return latin1(octets).split('\x1f');
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(JSON.stringify(value));
  return text.length > 2_000 ? `${text.slice(0, 2_000)}...` : text;
}
