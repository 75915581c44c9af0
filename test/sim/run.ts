/** Runs the simulation: `node test/sim/run.ts --seeds N [--seed K] [--verbose] [--controls]`. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Verdict } from './life.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import { DAY } from './timeline.ts';

const USAGE = `node test/sim/run.ts [options]
  --seeds N    so many seeds (default 20; 1 with --seed)
  --seed K     begin with this one (default 1)
  --jobs J     processes at a time (default 2)
  --verbose    tell everything that happens
  --controls   put known mistakes into the program: each must be found within the seeds
  --control S  only those whose name has S in it`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    verbose: { type: 'boolean', default: false },
    controls: { type: 'boolean', default: false },
    control: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** Of each seed. */
const TOLD = 10;
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
const first = Number(values.seed ?? 1);
const count = Number(values.seeds ?? (values.seed === undefined ? 20 : 1));

if (values.help) console.log(USAGE);
else if (values.controls || values.control !== undefined) await controls(values.control ?? '');
else await seeds();

/** All seeds, shared among processes; what is wrong is told at once. */
async function seeds(): Promise<void> {
  const started = performance.now();
  const verdicts: Verdict[] = [];
  const jobs = values.verbose ? 1 : Math.max(1, Math.min(Number(values.jobs), count));
  const last = first + count - 1;
  const exits = await Promise.all(
    Array.from({ length: jobs }, (_, job) =>
      work(['--from', `${first + job}`, '--to', `${last}`, '--step', `${jobs}`], (verdict) => {
        verdicts.push(verdict);
        for (const violation of verdict.violations.slice(0, TOLD)) {
          console.log(`seed ${verdict.seed}: ${violation}`);
        }
      }),
    ),
  );
  const minutes = (performance.now() - started) / 60_000;
  const sum = (of: (one: Verdict) => number): number => verdicts.reduce((s, v) => s + of(v), 0);
  console.log(
    `${sum((v) => v.messages)} messages tried, ${sum((v) => v.accepted)} accepted, ` +
      `${sum((v) => v.delivered)} in mailboxes, ${sum((v) => v.relayed)} relayed, ` +
      `${sum((v) => v.unanswered)} answers lost, ${sum((v) => v.notices)} notices`,
  );
  console.log(
    `${Math.round(verdicts.length / minutes)} seeds a minute: ${sum((v) => v.crashes)} crashes, ` +
      `${sum((v) => v.events)} events, ` +
      `${(sum((v) => v.simulatedMs) / DAY).toFixed(1)} simulated days`,
  );
  const passed = verdicts.filter(({ violations }) => violations.length === 0).length;
  // A process that ended early has passed nothing.
  const failed = count - passed;
  if (failed > 0 || exits.some((code) => code !== 0)) {
    const bad = verdicts.find(({ violations }) => violations.length > 0);
    if (bad !== undefined) console.log(`again: node test/sim/run.ts --seed ${bad.seed} --verbose`);
    process.exitCode = 1;
  }
  console.log(`${passed} passed, ${failed} failed`);
}

/** Each mistake must be found, and by the check that is there for it. */
async function controls(part: string): Promise<void> {
  const wanted = MUTANTS.filter(({ name }) => name.includes(part));
  const left = [...wanted];
  let found = 0;
  const next = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      if (await control(mutant)) found += 1;
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, next));
  console.log(`${found} passed, ${wanted.length - found} failed`);
  if (found !== wanted.length || wanted.length === 0) process.exitCode = 1;
}

async function control({ name, found }: Mutant): Promise<boolean> {
  const most = Number(values.seeds ?? 60);
  let finding: string | undefined;
  let tried = 0;
  const until = `${first + most - 1}`;
  const range = ['--from', `${first}`, '--to', until, '--twice', '1000000'];
  await work([...range, '--mutant', name], (verdict) => {
    tried += 1;
    const violation = verdict.violations.find((one) => found.test(one))?.split('\n', 1)[0];
    if (violation !== undefined) finding ??= `seed ${verdict.seed}: ${violation}`;
  });
  console.log(`${finding === undefined ? 'NOT FOUND' : 'found'} (${tried} seeds): ${name}`);
  if (finding !== undefined) console.log(`  ${finding}`);
  return finding !== undefined;
}

/** One process; resolves with its exit code. */
function work(options: readonly string[], told: (verdict: Verdict) => void): Promise<number> {
  const more = values.verbose ? ['--verbose'] : [];
  const child = spawn(process.execPath, [WORKER, ...options, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => told(JSON.parse(line) as Verdict));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve(code ?? 1));
  });
}
