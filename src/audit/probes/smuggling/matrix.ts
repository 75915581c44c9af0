/** The whole product in every manner: passes over all sequences, several connections at a time. */

import { Failure } from '#base/failure.ts';
import type { Wire } from '../../wire/wire.ts';
import type { Ending } from './sequences.ts';
import {
  finish,
  type Ground,
  type Heard,
  type Manner,
  offer,
  openContent,
  type Trial,
  tryEnding,
} from './trial.ts';

export interface Tried extends Trial {
  readonly ending: Ending;
  readonly manner: Manner;
}

export interface Matrix {
  /** Everything but what was taken for text. */
  readonly heard: readonly Tried[];
  /** Passes that were made, the first one complete; and those there was no time for. */
  readonly passes: readonly string[];
  readonly skipped: readonly string[];
  readonly trials: number;
  /** Names of sequences that could not be tried, with the reason. */
  readonly lost: ReadonlyMap<string, string>;
}

export interface MatrixOptions {
  readonly endings: readonly Ending[];
  readonly manners: readonly Manner[];
  readonly atOnce: number;
  /** Time that is left for others. */
  readonly reserveMs: number;
}

/** Sequences that share one message, as long as all of them are taken for text. */
const CHAIN = 8;
/** Sessions that failed; then it is given up. */
const MOST_FAILURES = 24;

/**
 * Twelve manners on two ways, the likeliest first; in turn first where nothing may come before its
 * turn. OpenSMTPD refuses whoever does not wait and hides by it that the message had ended; with
 * filters (6.8.0p2) it may even end itself: the session is gone while its filter is still asked
 * about the message.
 */
export function mannersFor({
  envelope: { ways },
  pipelining,
}: Pick<Ground, 'envelope' | 'pipelining'>): readonly Manner[] {
  const first = [
    { writes: 'whole', commands: true },
    { writes: 'apart', commands: true },
  ] as const;
  const kinds: readonly Omit<Manner, 'way'>[] = [
    ...(pipelining ? first : first.toReversed()),
    { writes: 'whole', commands: false },
    { writes: 'octets', commands: true },
    { writes: 'apart', commands: false },
    { writes: 'octets', commands: false },
  ];
  return kinds.flatMap((kind) => ways.map((way) => ({ way, ...kind })));
}

/** Never throws for single trials; without any trial done the reason stands in `lost`. */
export async function runMatrix(ground: Ground, options: MatrixOptions): Promise<Matrix> {
  const heard: Tried[] = [];
  const lost = new Map<string, string>();
  const passes: string[] = [];
  const skipped: string[] = [];
  let trials = 0;
  let slowestMs = 0;
  let failures = 0;
  for (const [index, manner] of options.manners.entries()) {
    const { clock } = ground.context.world;
    const startMs = clock.elapsed();
    const isShort = ground.context.leftMs() - options.reserveMs < slowestMs * 1.2;
    if (isShort || failures >= MOST_FAILURES) {
      skipped.push(nameOf(manner));
      continue;
    }
    // What ran commands on this way cannot become graver.
    const settled = new Set(
      heard.flatMap((one) =>
        one.kind === 'executed' && one.manner.way === manner.way ? [one.ending.name] : [],
      ),
    );
    const endings = options.endings.filter(
      ({ eof, name, family }) =>
        !settled.has(name) &&
        (!eof || !manner.commands) &&
        // A genuine end delivers mail where nobody counts hops.
        (ground.refusesLoops || family !== 'control'),
    );
    // Alone first, where nothing before a sequence can hide what it does; then in company.
    const most = index === 0 && ground.refusesLoops ? 1 : CHAIN;
    const known = new Set(heard.filter(isEnd).map(({ ending }) => ending.name));
    const chains = chainsOf(endings, (ending) => ending.eof || known.has(ending.name), most, index);
    const worker = async (): Promise<void> => {
      for (let chain = chains.shift(); chain !== undefined; chain = chains.shift()) {
        try {
          heard.push(...(await tryChain(ground, manner, chain)));
          trials += chain.length;
        } catch (thrown) {
          const failure = Failure.from(thrown);
          if (failure.kind === 'permanent') throw failure;
          for (const { name } of chain) lost.set(name, failure.message);
          failures += 1;
          // It answers no more: the rest of this pass would be waited for in vain.
          if (failures < MOST_FAILURES) continue;
          for (const { name } of chains.splice(0).flat()) lost.set(name, failure.message);
        }
      }
    };
    await Promise.all(Array.from({ length: options.atOnce }, worker));
    slowestMs = Math.max(slowestMs, clock.elapsed() - startMs);
    passes.push(nameOf(manner));
  }
  return { heard, passes, skipped, trials, lost };
}

/** Several in one message; what is no text is tried again alone, for a verdict of its own. */
export async function tryChain(
  ground: Ground,
  manner: Manner,
  chain: readonly Ending[],
): Promise<readonly Tried[]> {
  const heard: Tried[] = [];
  const add = (ending: Ending, trial: Trial): void => {
    if (trial.kind !== 'content') heard.push({ ending, manner, ...trial });
  };
  const [only] = chain;
  if (only !== undefined && (chain.length === 1 || only.eof)) {
    for (const ending of chain) add(ending, await tryEnding(ground, manner, ending));
    return heard;
  }
  let wire: Wire | undefined;
  for (const ending of chain) {
    wire ??= await openContent(ground, manner.way);
    const first = await offer(wire, ground, manner, ending, ground.windowMs);
    if (first.kind === 'content') continue;
    wire.close();
    if (first.kind === 'refused') add(ending, { ...first, exchange: wire.exchange });
    else add(ending, await tryEnding(ground, manner, ending));
    wire = undefined;
  }
  const late: Heard | undefined = wire === undefined ? undefined : await finish(wire, ground);
  wire?.close();
  if (late === undefined || late.kind === 'content') return heard;
  // Somebody in here is answered more slowly than the window: each alone tells who.
  for (const ending of chain) add(ending, await tryEnding(ground, manner, ending));
  return heard;
}

export function nameOf({ way, writes, commands }: Manner): string {
  const how = { whole: 'in one write', apart: 'in several writes', octets: 'octet by octet' };
  const behind = commands ? 'commands behind it' : 'nothing behind it';
  return `${way === 'tls' ? 'under TLS' : 'as dialled'}, ${how[writes]}, ${behind}`;
}

function isEnd({ kind }: Tried): boolean {
  return kind === 'executed' || kind === 'ended';
}

/** In another order each time, so that neighbours change; what ends a message goes alone. */
function chainsOf(
  endings: readonly Ending[],
  isAlone: (ending: Ending) => boolean,
  most: number,
  turn: number,
): Ending[][] {
  const alone = endings.filter(isAlone).map((ending) => [ending]);
  const together = endings.filter((ending) => !isAlone(ending));
  const count = Math.max(1, Math.ceil(together.length / most));
  const chains = Array.from({ length: count }, (): Ending[] => []);
  for (const [at, ending] of together.entries()) {
    chains[(at + turn * Math.floor(at / count)) % count]?.push(ending);
  }
  return [...alone, ...chains.filter(({ length }) => length > 0)];
}
