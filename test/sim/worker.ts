/** Lives seeds, one after the other, and says what came of each as a line of JSON. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hashPassword } from '#policy/login/password.ts';
import type { Verdict } from './life.ts';
import { mutate } from './mutants.ts';

const { values } = parseArgs({
  options: {
    /** The first seed, the last, and every which. */
    from: { type: 'string', default: '1' },
    to: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    mutant: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    /** Each seed of which this is a divisor is lived twice. */
    twice: { type: 'string', default: '10' },
  },
});

// Before anything of src is loaded.
const mutant = values.mutant === undefined ? undefined : mutate(values.mutant);
const { live } = await import('./life.ts');
const { Machine } = await import('./machine.ts');
const { Chance } = await import('./chance.ts');
const { PASSWORD } = await import('./posting.ts');

const machine = new Machine();
machine.install();
const unhandled: string[] = [];
process.on('unhandledRejection', (thrown) => {
  unhandled.push(`bug: unhandled rejection: ${thrown instanceof Error ? thrown.stack : thrown}`);
});
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const root = mkdtempSync(join(memory, 'postern-sim-'));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    rmSync(root, { recursive: true, force: true });
    process.exit(1);
  });
}
const credentials = await hashPassword(PASSWORD, new Chance(0, 'password'), {
  parameters: { memoryKib: 8, passes: 1, parallelism: 1 },
});
const told = values.verbose ? (line: string): void => console.error(line) : undefined;
try {
  for (let seed = Number(values.from); seed <= Number(values.to); seed += Number(values.step)) {
    const verdict = await judged(seed);
    console.log(JSON.stringify(verdict));
    if (mutant !== undefined && verdict.violations.some((one) => mutant.found.test(one))) break;
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function judged(seed: number): Promise<Verdict> {
  const verdict = await live(seed, { machine, root, credentials, told });
  const violations = [...verdict.violations, ...unhandled.splice(0)];
  if (seed % Number(values.twice) === 0) {
    const again = await live(seed, { machine, root, credentials, told: undefined });
    unhandled.length = 0;
    if (again.digest !== verdict.digest) violations.push('not the same twice');
  }
  return { ...verdict, violations };
}
