/** `npm run lab`: real servers with planted weaknesses, each audited, and the confusion matrix of it. */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CONFIGURATION_CHECKS } from '#audit/configuration/findings.ts';
import { checksOf, PROBES } from '#audit/probes/all.ts';
import type { Told } from './inside.ts';
import { countCells, type Row, rowsOf } from './matrix.ts';
import { readCases } from './profile.ts';
import { terminalTable } from './page.ts';

const HERE = import.meta.dirname;
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    verbose: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});
const cache =
  process.env['POSTERN_LAB'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'postern-lab');

if (process.getuid?.() !== 0) fail('the lab needs root: network and mount namespaces, port 25');
if ((await passed('sh', [path.join(HERE, 'install.sh')])) !== 0) fail('see above');

const known = [...checksOf(PROBES), ...CONFIGURATION_CHECKS].map(({ id }) => id);
const cases = new Map(readCases().map((one) => [one.id, one]));
const rows: Row[] = [];
let failures = 0;
for (let turn = 1; turn <= Number(values.runs); turn += 1) {
  const told = await once();
  for (const { id, failure, report } of told) {
    const one = cases.get(id);
    if (one === undefined || report === undefined) {
      failures += 1;
      process.stdout.write(`${id}: did not run: ${failure}\n`);
    } else rows.push(...rowsOf(one, report, known));
  }
}
const counts = countCells(rows);
process.stdout.write(terminalTable(rows, values.verbose));
process.stdout.write(`${JSON.stringify(counts)}\n`);
process.exitCode = failures + counts.FP + counts.FN > 0 ? 1 : 0;

/** All cases once, in namespaces that end with everything in them. */
async function once(): Promise<readonly Told[]> {
  const work = mkdtempSync(path.join(tmpdir(), 'postern-lab-'));
  try {
    mkdirSync(path.join(work, 'run'));
    const inside = [process.execPath, path.join(HERE, 'inside.ts'), cache, work, values.only];
    const script = `ip link set lo up && mount -t tmpfs -o size=2g,mode=755 lab ${work}/run &&
      echo "nameserver 127.0.0.1" > ${work}/resolv.conf &&
      mount --bind ${work}/resolv.conf /etc/resolv.conf && "$@"`;
    const code = await passed('unshare', [
      '-nmp',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-c',
      script,
      'sh',
      ...inside,
      values['at-once'],
    ]);
    if (code !== 0) fail(`the lab ended with ${code}`);
    const text = readFileSync(path.join(work, 'told.json'), 'utf8');
    if (values.keep !== undefined) writeFileSync(values.keep, text);
    return JSON.parse(text) as Told[];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function passed(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

function fail(why: string): never {
  process.stderr.write(`lab: ${why}\n`);
  process.exit(1);
}
