/** Runs seeds: `node test/sim/run.ts --seeds N [--seed K] [--verbose] [--twice] [--controls]`. */

import { mkdtempSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hashPassword } from '#policy/login/password.ts';
import { Chance } from './chance.ts';
import { type Verdict, live } from './life.ts';
import { Machine } from './machine.ts';
import { PASSWORD } from './posting.ts';
import { DAY } from './timeline.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    twice: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
  },
});

const started = performance.now();
const first = Number(values.seed ?? 1);
const count = Number(values.seeds ?? (values.seed === undefined ? 20 : 1));

const machine = new Machine();
machine.install();
process.on('unhandledRejection', (thrown) => {
  console.error('unhandled rejection', thrown);
  process.exitCode = 1;
});
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const root = mkdtempSync(join(memory, 'postern-sim-'));
const credentials = await hashPassword(PASSWORD, new Chance(0, 'password'), {
  parameters: { memoryKib: 8, passes: 1, parallelism: 1 },
});
const verdicts: Verdict[] = [];
try {
  for (let seed = first; seed < first + count; seed += 1) {
    const told = values.verbose ? (line: string) => console.log(line) : undefined;
    const verdict = await live(seed, { machine, root, credentials, ...(told ? { told } : {}) });
    verdicts.push(verdict);
    if (values.twice) {
      const again = await live(seed, { machine, root, credentials });
      if (again.digest !== verdict.digest) console.log(`seed ${seed}: not the same twice`);
    }
    for (const violation of verdict.violations) console.log(`seed ${seed}: ${violation}`);
    if (values.verbose) console.log(JSON.stringify(verdict));
    if (values['until-failure'] && verdict.violations.length > 0) break;
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
const failed = verdicts.filter(({ violations }) => violations.length > 0).length;
const total = (of: (one: Verdict) => number): number => verdicts.reduce((s, one) => s + of(one), 0);
const minutes = (performance.now() - started) / 60_000;
console.log(
  `${Math.round(verdicts.length / minutes)} seeds a minute; ${total((v) => v.messages)} messages, ` +
    `${total((v) => v.crashes)} crashes, ${total((v) => v.events)} events, ` +
    `${(total((v) => v.simulatedMs) / DAY).toFixed(1)} simulated days`,
);
console.log(`${verdicts.length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
