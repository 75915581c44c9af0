/** A few seeds of the simulation: nothing lost, nothing doubled, and the same thing twice. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const WORKER = fileURLToPath(new URL('../sim/worker.ts', import.meta.url));

interface Verdict {
  readonly violations: readonly string[];
  readonly events: number;
  readonly crashes: number;
}

/** In a process of its own: the simulation replaces the timers of the one it runs in. */
async function worker(...options: readonly string[]): Promise<Verdict[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, ...options]);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Verdict);
}

test('two seeds of several whole servers, one of them lived twice', async () => {
  const verdicts = await worker('--from', '3', '--to', '4', '--twice', '4');
  assert.deepEqual(verdicts.flatMap(({ violations }) => violations).slice(0, 5), []);
  assert.equal(verdicts.length, 2);
  assert.ok(verdicts.every(({ events }) => events > 1_000));
});

test('a mistake put in on purpose is found', async () => {
  const verdicts = await worker(
    '--from',
    '1',
    '--to',
    '5',
    '--mutant',
    'notices that are forgotten',
  );
  assert.match(verdicts.at(-1)?.violations.join('\n') ?? '', /^lost: /m);
});
