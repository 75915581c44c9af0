/** Runs one target for so long: makes cases, watches what they do, and makes a failure small. */

import { fromLatin1, latin1 } from '#base/bytes.ts';
import { Chance } from './chance.ts';
import { mutate } from './mutate.ts';
import type { Case, Target } from './target.ts';

/** One input may keep the loop for so long (P21), all of its chunkings together. */
export const EXECUTION_MS = 50;

export interface Found {
  readonly target: string;
  readonly seed: number;
  readonly execution: number;
  readonly one: Case;
  readonly why: string;
}

export interface Hunt {
  readonly executions: number;
  readonly ms: number;
  /** The slowest execution, milliseconds of CPU. */
  readonly slowestMs: number;
  /** Growth of the heap from the first quarter to the end, after collection, if it was measured. */
  readonly grownBytes: number | undefined;
  readonly found: Found | undefined;
}

export interface HuntOptions {
  readonly seed: number;
  readonly budgetMs: number;
  readonly maxExecutions?: number;
  /** Collects garbage, so that growth can be told from rubbish. */
  readonly collect?: (() => void) | undefined;
}

const MAX_OCTETS = 4_096;
const SHRINK_MS = 4_000;
/** Growth that no cache explains. */
const GROWTH_BYTES = 48 * 1024 * 1024;

/** Until the time is over, or something was found. */
export async function hunt(target: Target, options: HuntOptions): Promise<Hunt> {
  const { seed, budgetMs, maxExecutions = Infinity, collect } = options;
  const began = performance.now();
  const seeds = (target.seeds ?? []).map(fromLatin1);
  let execution = 0;
  let slowestMs = 0;
  let early: number | undefined;
  let found: Found | undefined;
  const spent = (): number => performance.now() - began;
  while (found === undefined && execution < maxExecutions && spent() < budgetMs) {
    const one = caseOf(target, seeds, new Chance(seed + execution * 2 ** 32, target.name));
    const before = cpuMs();
    const why = await failure(target, one);
    const took = cpuMs() - before;
    slowestMs = Math.max(slowestMs, took);
    const slow =
      why === undefined && took > EXECUTION_MS ? await stillSlow(target, one) : undefined;
    if (why !== undefined || slow !== undefined) {
      const small = await shrink(target, one, slow !== undefined);
      const last = slow ?? (await failure(target, small)) ?? why ?? '';
      found = { target: target.name, seed, execution, one: small, why: last };
    }
    execution += 1;
    if (early === undefined && collect !== undefined && spent() > budgetMs / 4) {
      collect();
      early = memory();
    }
  }
  let grownBytes: number | undefined;
  if (early !== undefined && collect !== undefined) {
    collect();
    grownBytes = memory() - early;
    if (found === undefined && grownBytes > GROWTH_BYTES) {
      const why = `${execution} executions left ${grownBytes} octets behind`;
      const one = { setup: 0, octets: new Uint8Array(0) };
      found = { target: target.name, seed, execution, one, why };
    }
  }
  return { executions: execution, ms: spent(), slowestMs, grownBytes, found };
}

/** The case that this chance makes. */
export function caseOf(target: Target, seeds: readonly Uint8Array[], chance: Chance): Case {
  const setup = chance.next();
  const max = target.maxOctets ?? MAX_OCTETS;
  const fresh = (): Uint8Array => {
    if (seeds.length > 0 && chance.once(3)) return chance.pick(seeds);
    return target.generate(chance);
  };
  let octets = chance.once(40) ? chance.octets(chance.below(300)) : fresh();
  if (!chance.once(4)) octets = mutate(octets, chance, max, fresh);
  return { setup, octets: octets.slice(0, max) };
}

/** Why the case fails, or undefined. */
export async function failure(target: Target, one: Case): Promise<string | undefined> {
  try {
    const running = target.run(one);
    if (running !== undefined) await running;
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
}

/** The least CPU of several runs: what a compiler or collector did in between is not counted. */
async function stillSlow(target: Target, one: Case): Promise<string | undefined> {
  let least = Infinity;
  for (let run = 0; run < 4; run++) {
    const before = cpuMs();
    await failure(target, one);
    least = Math.min(least, cpuMs() - before);
  }
  return least > EXECUTION_MS ? `takes ${least.toFixed(0)} ms of CPU` : undefined;
}

/** A smaller case that still fails: pieces taken out while that is so. */
async function shrink(target: Target, one: Case, slow: boolean): Promise<Case> {
  if (slow) return one;
  const until = performance.now() + SHRINK_MS;
  let best = one;
  for (let size = Math.ceil(best.octets.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.octets.length && performance.now() < until;) {
      const { octets, setup } = best;
      const fewer = Buffer.concat([octets.subarray(0, at), octets.subarray(at + size)]);
      const next = { setup, octets: new Uint8Array(fewer) };
      if ((await failure(target, next)) === undefined) at += size;
      else best = next;
    }
  }
  return best;
}

/** The case as JavaScript, to be put into a test. */
export function literal({ target, seed, execution, one, why }: Found): string {
  const words = why.split('\n').slice(0, 12).join('\n * ').replaceAll('*/', '* /');
  const text = JSON.stringify(latin1(one.octets)).replace(
    /[\x7f-\xff]/g,
    (octet) => `\\x${octet.charCodeAt(0).toString(16)}`,
  );
  return [
    `/*\n * ${words}\n */`,
    `export const target = '${target}';`,
    `// seed ${seed}, execution ${execution}`,
    `export const setup = ${one.setup};`,
    `export const octets = Buffer.from(${text}, 'latin1');\n`,
  ].join('\n');
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
