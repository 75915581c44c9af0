/** Smuggling inwards: the whole product of sequences at level active, the few telling ones at safe. */

import type { Check } from '../../check.ts';
import { absent, type Controls, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { BARE_CR, BARE_LF, CHECK_OF, END_OF_FILE, LENIENT, LINE_BREAK, NUL } from './checks.ts';
import { prepare } from './ground.ts';
import { mannersFor, type Matrix, nameOf, runMatrix, type Tried } from './matrix.ts';
import { type Ending, ENDINGS, TELLING } from './sequences.ts';
import type { Ground } from './trial.ts';

const CHECKS = [BARE_LF, BARE_CR, NUL, LINE_BREAK, LENIENT, END_OF_FILE];

export const endOfData: ServiceProbe = {
  name: 'end-of-data',
  scope: 'service',
  level: 'safe',
  checks: CHECKS,
  limitMs: 55_000,
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const prepared = await prepare(context);
  if (prepared.kind !== 'ready') {
    const tell = prepared.kind === 'closed' ? inapplicable : unclear;
    const why =
      prepared.kind === 'closed' ? `no mail of strangers is taken: ${prepared.why}` : prepared.why;
    for (const check of CHECKS) context.tell(tell(check, why));
    return;
  }
  const { ground } = prepared;
  const isSafe = context.level === 'safe';
  const manners = mannersFor(ground);
  const endings = isSafe ? TELLING : ENDINGS;
  const options = {
    // A far server is not crowded; one of our own bears more.
    atOnce: isSafe ? 1 : context.options.replyMs > 5_000 ? 3 : 16,
    reserveMs: 3_000,
  };
  const first = isSafe ? manners.slice(0, 1) : manners;
  let matrix = await runMatrix(ground, { endings, manners: first, ...options });
  // Some refuse whoever does not wait, and hide by it that the message had ended.
  const refused = new Set(
    matrix.heard.flatMap((one) => (one.kind === 'refused' ? [one.ending] : [])),
  );
  const apart = manners.filter(
    (manner) => manner.writes === 'apart' && manner.commands && !first.includes(manner),
  );
  if (isSafe && refused.size > 0) {
    const again = { endings: [...refused], manners: apart.slice(0, 1), ...options };
    matrix = both(matrix, await runMatrix(ground, again));
  }
  for (const check of CHECKS) tellCheck(ground, matrix, check, endings);
}

function both(one: Matrix, other: Matrix): Matrix {
  return {
    heard: [...one.heard, ...other.heard],
    passes: [...one.passes, ...other.passes],
    skipped: [...one.skipped, ...other.skipped],
    trials: one.trials + other.trials,
    lost: new Map([...one.lost, ...other.lost]),
  };
}

/** The check that speaks for a sequence in this manner. */
function checkOf({ family, eof }: Ending): Check | undefined {
  if (eof) return END_OF_FILE;
  return family === 'control' ? undefined : CHECK_OF[family];
}

function tellCheck(ground: Ground, matrix: Matrix, check: Check, endings: readonly Ending[]): void {
  const { context } = ground;
  const own = endings.filter((ending) => checkOf(ending) === check);
  if (own.length === 0) {
    context.tell(
      inapplicable(check, `level ${context.level} tries none of these (--level active)`),
    );
    return;
  }
  const mine = matrix.heard.filter(({ ending }) => checkOf(ending) === check);
  const executed = mine.filter(({ kind }) => kind === 'executed');
  const ended = mine.filter(({ kind }) => kind === 'ended');
  const hits = [...executed, ...ended];
  const lost = own.filter(({ name }) => matrix.lost.has(name));
  const facts = details(matrix, hits, own.length);
  const controls = controlsOf(matrix, hits, own.length - lost.length);
  const [first] = hits;
  if (first === undefined && lost.length > 0) {
    const [one] = lost;
    const why = matrix.lost.get(one?.name ?? '') ?? '';
    context.tell(unclear(check, `${lost.length} of ${own.length} could not be tried: ${why}`));
    return;
  }
  if (first === undefined) {
    const refused = new Set(
      mine.filter(({ kind }) => kind === 'refused').map(({ ending }) => ending.name),
    );
    // It may have ended the message, and minds that more came behind it.
    const hidden = mine.find(({ kind, text }) => kind === 'refused' && /pipelin/i.test(text));
    if (hidden !== undefined) {
      const { ending, text } = hidden;
      context.tell(unclear(check, `${ending.name} is answered with "${text.slice(0, 120)}"`));
      return;
    }
    const scope = context.level === 'safe' ? ' (few are tried at level safe)' : '';
    const seen =
      `${own.length} sequences in ${matrix.passes.length} manners end nothing` +
      `${refused.size === 0 ? '' : `; ${refused.size} are refused`}${scope}`;
    context.tell(absent(check, seen, { controls, details: facts }));
    return;
  }
  const names = [...new Set(hits.map(({ ending }) => ending.name))];
  const severity = check.severity === 'high' && executed.length === 0 ? 'medium' : check.severity;
  const what =
    executed.length > 0 ? 'and what stands behind it is run' : 'and nothing behind it is run';
  const seen =
    `${names.length} of ${own.length} end the message, ${what}: ${names.join(', ').slice(0, 300)}; ` +
    `${first.ending.name} ${nameOf(first.manner)}: "${first.text.slice(0, 160)}"`;
  const evidence = hits.slice(0, 3).map(({ exchange }) => exchange);
  context.tell(found(check, seen, { severity, evidence, controls, details: facts }));
}

function details(matrix: Matrix, hits: readonly Tried[], tried: number) {
  const names = (kind: Tried['kind']): string[] => [
    ...new Set(hits.filter((hit) => hit.kind === kind).map(({ ending }) => ending.name)),
  ];
  return {
    sequences: tried,
    executed: names('executed'),
    ended: names('ended'),
    passes: [...matrix.passes],
    skipped: [...matrix.skipped],
  };
}

function controlsOf(matrix: Matrix, hits: readonly Tried[], tried: number): Controls {
  const genuine = matrix.heard.filter(
    ({ ending, kind }) => ending.name === 'CRLF.CRLF' && (kind === 'executed' || kind === 'ended'),
  );
  return {
    // A genuine end was answered, and content without any was not.
    sanity: { passed: 1, of: 1 },
    negative: { passed: 1, of: 1 },
    ...(genuine.length === 0 ? {} : { positive: { passed: genuine.length, of: genuine.length } }),
    repeated: { passed: hits.length, of: tried * matrix.passes.length },
  };
}
