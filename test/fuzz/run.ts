/** Fuzzes everything that reads what strangers send: `node test/fuzz/run.ts [--seconds N]`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { failure, type Found, hunt, literal } from './hunt.ts';
import { measure } from './linear.ts';
import { SHAPES } from './shapes/all.ts';
import type { Target } from './target.ts';
import * as registry from './targets/index.ts';

const USAGE = `usage: node test/fuzz/run.ts [--seconds N] [--target NAME] [--seed K] [--list]
       node test/fuzz/run.ts --replay FILE
  --seconds   for all targets together (default 30)
  --target    only this one; may stand more than once
  --seed      the number that all cases follow from (default: a new one, printed)
  --replay    a file of test/fuzz/found/ again
`;
/** Not a target with cases: time against size, whatever the seconds. */
const COMPLEXITY = 'complexity';
const FOUND = path.join(import.meta.dirname, 'found');
const TARGETS: readonly Target[] = Object.values(registry);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '30' },
      target: { type: 'string', multiple: true },
      seed: { type: 'string' },
      replay: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return say(USAGE);
  if (values.list === true) {
    return say(`${[...TARGETS.map(({ name }) => name), COMPLEXITY].join('\n')}\n`);
  }
  if (values.replay !== undefined) return replay(values.replay);
  const chosen = TARGETS.filter(({ name }) => values.target?.includes(name) ?? true);
  const gate = values.target?.includes(COMPLEXITY) ?? true;
  if (chosen.length === 0 && !gate) return say(`no such target\n${USAGE}`, 64);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const budgetMs = (Number(values.seconds) * 1_000) / Math.max(1, chosen.length);
  if (!Number.isSafeInteger(seed) || !(budgetMs > 0)) return say(USAGE, 64);
  const none = { passed: 0, failed: 0 };
  const hunted = chosen.length > 0 ? await all(chosen, seed, budgetMs) : none;
  const measured = gate ? await complexity() : none;
  const failed = hunted.failed + measured.failed;
  say(`${hunted.passed + measured.passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** time(4n)/time(n) of every shape; what is not linear is named. */
async function complexity(): Promise<Counts> {
  const began = performance.now();
  let failed = 0;
  for (const shape of SHAPES) {
    const { ratio, mostMs, passed } = await measure(shape);
    if (passed) continue;
    failed += 1;
    const figures = `time(4n)/time(n) is ${ratio.toFixed(1)}, ${mostMs.toFixed(1)} ms`;
    say(`FAILED ${shape.parser}: ${shape.name}: ${figures}\n`);
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  say(`${COMPLEXITY.padEnd(16)} ${SHAPES.length} shapes at n and 4n in ${seconds} s\n`);
  return { passed: SHAPES.length - failed, failed };
}

async function all(targets: readonly Target[], seed: number, budgetMs: number): Promise<Counts> {
  say(`seed ${seed}\n`);
  const collect = collector();
  let failed = 0;
  let executions = 0;
  const began = performance.now();
  for (const target of targets) {
    const done = await hunt(target, { seed, budgetMs, collect });
    executions += done.executions;
    const rate = Math.round(done.executions / (done.ms / 1_000));
    const slowest = `slowest ${done.slowestMs.toFixed(1)} ms`;
    const name = target.name.padEnd(16);
    say(
      `${name} ${String(done.executions).padStart(9)} executions ${String(rate).padStart(7)}/s  ${slowest}\n`,
    );
    if (done.found === undefined) continue;
    failed += 1;
    report(done.found);
  }
  const seconds = (performance.now() - began) / 1_000;
  say(`${executions} executions in ${seconds.toFixed(1)} s\n`);
  return { passed: targets.length - failed, failed };
}

/** Prints what was found and keeps it in a file. */
function report(found: Found): void {
  const text = literal(found);
  mkdirSync(FOUND, { recursive: true });
  const file = path.join(FOUND, `${found.target}-${found.seed}-${found.execution}.js`);
  writeFileSync(file, text);
  say(`FAILED ${found.target}\n${text}  kept in ${path.relative(process.cwd(), file)}\n`);
}

async function replay(file: string): Promise<number> {
  const kept: unknown = await import(pathToFileURL(path.resolve(file)).href);
  const {
    target: name,
    setup,
    octets,
  } = kept as {
    readonly target: string;
    readonly setup: number;
    readonly octets: Uint8Array;
  };
  const target = TARGETS.find((one) => one.name === name);
  if (target === undefined) return say(`no target ${name}\n`, 64);
  const why = await failure(target, { setup, octets: new Uint8Array(octets) });
  return why === undefined ? say('1 passed, 0 failed\n') : say(`${why}\n0 passed, 1 failed\n`, 1);
}

/** Asks V8 for what --expose-gc gives. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function say(text: string, status = 0): number {
  process.stdout.write(text);
  return status;
}
