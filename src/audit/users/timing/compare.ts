/** Whether a server takes another time for a name than for names that nobody has. */

import type { Exchange } from '../../wire/exchange.ts';
import { controlName } from '../controls.ts';
import type { Asking, Oracle } from '../oracle.ts';
import { corrected, medianDeviation, rankProbability, shiftBetween } from './statistics.ts';

export interface TimingOptions {
  readonly names: readonly string[];
  /** Pairs of a name and a control, each on connections of their own. Default 30. */
  readonly pairs?: number;
}

export interface Timing {
  readonly name: string;
  /** `unsteady`: too many answers were held back or lost to say anything. */
  readonly verdict: 'differs' | 'same' | 'unsteady';
  /** How much later the name's answers come; negative: sooner. */
  readonly shiftMs: number;
  /** The controls' own scatter (median deviation). */
  readonly scatterMs: number;
  /** Of chance, corrected for the number of names, the larger of two runs. */
  readonly probability: number;
  readonly samples: number;
  readonly discarded: number;
}

export interface TimingResult {
  readonly timings: readonly Timing[];
  readonly connections: number;
  readonly evidence: readonly Exchange[];
}

const PAIRS = 30;
const SIGNIFICANT = 0.001;
/** The shift must stand out from the scatter, not only be sure to be there. */
const SCATTERS = 5;
const SMALLEST_MS = 0.2;
/** A tarpit sleeps whole seconds: such a sample tells of it, not of the name. */
const GRID_MS = 1_000;
const GRID_WIDTH_MS = 80;

/** Measures twice; a name differs when both runs say so, in the same direction. */
export async function compareTimes(
  oracle: Oracle,
  asking: Asking,
  options: TimingOptions,
): Promise<TimingResult> {
  const sampler = new Sampler(oracle, asking);
  const runs: Measured[][] = [];
  for (let run = 0; run < 2; run += 1) {
    const measured: Measured[] = [];
    for (const name of options.names) {
      measured.push(await measure(sampler, asking, name, options.pairs ?? PAIRS));
    }
    runs.push(measured);
  }
  const [first = [], second = []] = runs.map((measured) => {
    const chances = corrected(measured.map(({ probability }) => probability));
    return measured.map((one, index) => ({ ...one, probability: chances[index] ?? 1 }));
  });
  const timings = first.map((one, index) => conclude(one, second[index] ?? one));
  return { timings, connections: sampler.connections, evidence: sampler.evidence };
}

interface Measured {
  readonly name: string;
  readonly probability: number;
  readonly shiftMs: number;
  readonly scatterMs: number;
  readonly samples: number;
  readonly discarded: number;
}

function conclude(a: Measured, b: Measured): Timing {
  const probability = Math.max(a.probability, b.probability);
  const discarded = a.discarded + b.discarded;
  const samples = a.samples + b.samples;
  const scatterMs = Math.max(a.scatterMs, b.scatterMs);
  const shiftMs = Math.abs(a.shiftMs) < Math.abs(b.shiftMs) ? a.shiftMs : b.shiftMs;
  const together = Math.sign(a.shiftMs) === Math.sign(b.shiftMs);
  const large = Math.abs(shiftMs) > Math.max(SMALLEST_MS, SCATTERS * scatterMs);
  const sure = probability < SIGNIFICANT && together && large;
  const verdict = discarded > samples / 2 ? 'unsteady' : sure ? 'differs' : 'same';
  return { name: a.name, verdict, shiftMs, scatterMs, probability, samples, discarded };
}

async function measure(
  sampler: Sampler,
  asking: Asking,
  name: string,
  pairs: number,
): Promise<Measured> {
  const names: number[] = [];
  const controls: number[] = [];
  let discarded = 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    const control = controlName(asking.random, pair % 2 === 0 ? 'human' : 'gibberish');
    const coin = ((asking.random.bytes(1)[0] ?? 0) & 1) === 1;
    for (const whose of coin ? [name, control] : [control, name]) {
      const ms = await sampler.sample(whose);
      if (ms === undefined) discarded += 1;
      else (whose === name ? names : controls).push(ms);
    }
  }
  return {
    name,
    probability: rankProbability(controls, names),
    shiftMs: shiftBetween(controls, names),
    scatterMs: medianDeviation(controls),
    samples: names.length + controls.length,
    discarded,
  };
}

/** One answer's time, on a connection that was warmed up by a question that does not count. */
class Sampler {
  readonly #oracle: Oracle;
  readonly #asking: Asking;
  readonly evidence: Exchange[] = [];
  connections = 0;

  constructor(oracle: Oracle, asking: Asking) {
    this.#oracle = oracle;
    this.#asking = asking;
  }

  async sample(name: string): Promise<number | undefined> {
    const opened = await this.#oracle.open(this.#asking);
    this.connections += 1;
    if (opened.kind !== 'session') return undefined;
    const { session } = opened;
    await session.ask([controlName(this.#asking.random, 'gibberish')]);
    const asked = await session.ask([name]);
    const ms = asked.answers[0]?.ms;
    await session.close();
    if (this.evidence.length < 2) this.evidence.push(session.exchange);
    if (ms === undefined || isHeld(ms)) return undefined;
    return ms;
  }
}

function isHeld(ms: number): boolean {
  const off = ms % GRID_MS;
  return ms > GRID_MS / 2 && Math.min(off, GRID_MS - off) < GRID_WIDTH_MS;
}
