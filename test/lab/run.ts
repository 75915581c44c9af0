/** `npm run lab`: real servers with planted weaknesses, each audited, and the confusion matrix of it. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CONFIGURATION_CHECKS } from '#audit/configuration/findings.ts';
import { checksOf, PROBES } from '#audit/probes/all.ts';
import { NOTHING_ANSWERS, UNIDENTIFIED } from '#audit/run/discovered.ts';
import type { Told, Way } from './inside.ts';
import { countCells, type Row, rowsOf } from './matrix.ts';
import { labPage, type Measured, terminalTable } from './page.ts';
import { readCases, truthOf } from './profile.ts';

const HERE = import.meta.dirname;
const USAGE = `npm run lab -- [--only P01,exim,...] [--runs 3] [--at-once 2] [--peers] [--write] [--verbose] [--by-hand PROGRAM]
  --only     profiles, twins (P03-cured) or servers
  --runs     so often (0: only the page or the peers); what they tell must be the same
  --peers    nmap and smtp-user-enum's method beside us on some of the servers
  --write    docs/lab.md and test/lab/truth.json (all profiles)
  --delay    some of the servers over a way of 50 to 300 ms, octet by octet, at level safe
  --keep     a file for the reports of the last run
  --by-hand  starts each server and runs this with its address (and the name of the profile):
             transcripts that the truth is taken from
`;
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '2' },
    peers: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    keep: { type: 'string' },
    delay: { type: 'boolean', default: false },
    'by-hand': { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit();
}
const cache =
  process.env['POSTERN_LAB'] ??
  path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'postern-lab');

if (process.getuid?.() !== 0) fail('the lab needs root: network and mount namespaces, port 25');
if ((await passed('sh', [path.join(HERE, 'install.sh')])) !== 0) fail('see above');

if (values['by-hand'] !== '') {
  await once(false);
  process.exit();
}

const known = [...checksOf(PROBES), ...CONFIGURATION_CHECKS, NOTHING_ANSWERS, UNIDENTIFIED].map(
  ({ id }) => id,
);
const all = readCases();
const cases = new Map(all.map((one) => [one.id, one]));
const truthFile = path.join(HERE, 'truth.json');
const truth = `${JSON.stringify(truthOf(all), undefined, 1)}\n`;
if (values.write) {
  writeFileSync(truthFile, truth);
  const formatter = path.join(HERE, '../../node_modules/.bin/oxfmt');
  if ((await passed(formatter, [truthFile])) !== 0) fail('truth.json could not be laid out');
} else if (
  values.only === '' &&
  JSON.stringify(JSON.parse(readFileSync(truthFile, 'utf8'))) !== JSON.stringify(JSON.parse(truth))
) {
  // How it is laid out is the formatter's matter.
  fail('truth.json is not current (--write)');
}

/** What is kept of the last run over everything. */
type Kept = Pick<Measured, 'rows' | 'runs' | 'unsteady' | 'seconds' | 'later'> &
  Partial<Pick<Measured, 'peers' | 'slow'>>;

let failures = 0;
const kept = path.join(cache, 'results.json');
const turns = values.delay ? 0 : Number(values.runs);
const measured = turns > 0 ? await measure() : readKept();
const peers = values.peers
  ? (await once(true)).flatMap((told) => told.peers ?? [])
  : (readKept().peers ?? []);
const slow = values.delay ? await measureSlow() : (readKept().slow ?? []);
const page = { ...measured, cases: all, peers, slow };
writeFileSync(kept, JSON.stringify({ ...measured, peers, slow }));
if (values.write) writeFileSync(path.join(HERE, '../../docs/lab.md'), labPage(page));
else if (values.peers) process.stdout.write(labPage(page));

/** The matrix, as often as asked for; sets the exit status. */
async function measure(): Promise<Kept> {
  const startMs = performance.now();
  const runs: Row[][] = [];
  for (let turn = 1; turn <= turns; turn += 1) runs.push(judged(await once(false)));
  const seconds = (performance.now() - startMs) / 1_000 / turns;
  const unsteady = differing(runs);
  process.stdout.write(terminalTable(runs.flat(), values.verbose));
  const counts = countCells(runs.flat());
  for (const what of unsteady) process.stdout.write(`differs between the runs: ${what}\n`);
  process.stdout.write(`${JSON.stringify(counts)}, ${seconds.toFixed(0)} s a run\n`);
  process.exitCode = failures + counts.FP + counts.FN + unsteady.length > 0 ? 1 : 0;
  const now = { rows: runs[0] ?? [], runs: turns, unsteady, seconds, later: [] };
  return values.only === '' ? now : merged(readKept(), now);
}

/** The same profiles at level safe over a slow way: the truth is the same. */
async function measureSlow(): Promise<readonly Row[]> {
  const rows = judged(await once(false));
  process.stdout.write(terminalTable(rows, true));
  const counts = countCells(rows);
  process.stdout.write(`over a slow way: ${JSON.stringify(counts)}\n`);
  process.exitCode = failures + counts.FP + counts.FN > 0 ? 1 : 0;
  return rows;
}

/** Some cases anew, the others as they were. */
function merged(before: Kept, now: Kept): Kept {
  const again = new Set(now.rows.map((row) => row.case));
  const others = before.rows.filter((row) => !again.has(row.case));
  const unsteady = before.unsteady.filter((what) => !again.has(what.split(' ', 1)[0] ?? ''));
  return {
    rows: [...others, ...now.rows],
    runs: before.runs,
    later: [...new Set([...before.later, ...again])].toSorted(),
    unsteady: [...unsteady, ...now.unsteady],
    seconds: before.seconds,
  };
}

/** Of the last run over everything: the page is written from what was measured last of each kind. */
function readKept(): Kept {
  if (!existsSync(kept)) return { rows: [], runs: 0, unsteady: [], seconds: 0, later: [] };
  return { ...(JSON.parse(readFileSync(kept, 'utf8')) as Kept) };
}

function judged(told: readonly Told[]): Row[] {
  return told.flatMap(({ id, failure, report }) => {
    const one = cases.get(id);
    if (one !== undefined && report !== undefined) {
      // What is planted for a higher level cannot be found at level safe.
      return rowsOf(values.delay ? { ...one, planted: [] } : one, report, known);
    }
    failures += 1;
    process.stdout.write(`${id}: did not run: ${failure}\n`);
    return [];
  });
}

/** Cells that are told otherwise in some later run. */
function differing([first = [], ...later]: readonly Row[][]): string[] {
  const said = new Map(first.map((row) => [keyOf(row), row.told]));
  const others = later
    .flat()
    .filter((row) => row.cell !== 'free' && said.get(keyOf(row)) !== row.told);
  return [...new Set(others.map(keyOf))];
}

/** All cases once, in namespaces that end with everything in them. */
async function once(beside: boolean): Promise<readonly Told[]> {
  const work = mkdtempSync(path.join(tmpdir(), 'postern-lab-'));
  const how: Way = {
    only: values.only,
    atOnce: beside || values['by-hand'] !== '' ? 1 : Number(values['at-once']),
    beside,
    byHand: values['by-hand'],
    delay: values.delay,
  };
  try {
    mkdirSync(path.join(work, 'run'));
    const inside = [process.execPath, path.join(HERE, 'inside.ts'), cache, work];
    const script = `ip link set lo up && ip addr add fd00:66::1/128 dev lo && mount -t tmpfs -o size=2g,mode=755 lab ${work}/run &&
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
      JSON.stringify(how),
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

function keyOf(row: Row): string {
  return `${row.case} ${row.check}`;
}
