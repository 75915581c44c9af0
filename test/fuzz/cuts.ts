/** A session of a server lived again with its octets cut otherwise: it has to be the same session. */

import { latin1 } from '#base/bytes.ts';
import { Chance } from './chance.ts';
import type { Driven, Moment } from './machine.ts';
import { type Case, type Cutting, pieces, same } from './target.ts';

/** Octet by octet, in one piece, and by each of the names cut where chance has it. */
export async function livedAgain<Session>(
  one: Case,
  live: (one: Case, how: Cutting) => Promise<Session>,
  compare: (a: Session, b: Session) => void,
  cuts: readonly string[] = ['cuts'],
): Promise<void> {
  const octets = await live(one, 'octets');
  for (const how of ['whole', ...cuts.map((name) => new Chance(one.setup, name))] as const) {
    compare(octets, await live(one, how));
  }
}

/**
 * Feeds a case, cut as said. Sometimes (once in `rare`) the time runs out in it, or the server is
 * told to stop. After `upgrade`, the command for TLS, a client waits: TLS drops what came before
 * it, so only a client that waits gets the same from any cutting.
 */
export async function feed<Question, Answer, Fact>(
  driven: Driven<Question, Answer, Fact>,
  { octets }: Case,
  how: Cutting,
  { chance, rare, upgrade }: Feeding,
): Promise<void> {
  const moments = new Map<number, Moment>();
  if (chance.once(rare)) {
    moments.set(1 + chance.below(octets.length + 1), chance.pick(['expired', 'ended', 'stop']));
  }
  const waits = how === 'octets' || upgrade === undefined ? [] : ends(octets, upgrade);
  await driven.run(pieces(octets, how, [...waits, ...moments.keys()]), moments);
}

export interface Feeding {
  readonly chance: Chance;
  readonly rare: number;
  readonly upgrade: RegExp | undefined;
}

/** What the machine asked and what it said, each the same. */
export function compareSessions<Question, Answer, Fact>(
  a: Driven<Question, Answer, Fact>,
  b: Driven<Question, Answer, Fact>,
  text: (log: readonly string[]) => string = (log) => log.join('\n'),
): void {
  same(text(a.log), text(b.log), 'any chunking gives the same actions');
  same(a.output, b.output, 'any chunking gives the same output');
}

function ends(octets: Uint8Array, pattern: RegExp): readonly number[] {
  return Array.from(latin1(octets).matchAll(pattern), (found) => found.index + found[0].length);
}
