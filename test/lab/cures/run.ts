/** `npm run cures`: the auditor's cures read by the servers they are for, and tried on weak ones. */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PRODUCTS } from '#audit/check.ts';
import { readCure } from '#audit/cure.ts';
import { knownCures } from './known.ts';
import type { Trial } from './trial.ts';

const HERE = import.meta.dirname;
const USAGE = `npm run cures -- [--only postfix,exim,...] [--syntax] [--quick] [--verbose]
  --only     products, or weak plans by their names
  --syntax   only whether the servers read the lines
  --quick    only some weak servers
`;
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    syntax: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
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
const SERVERS = ['postfix', 'exim', 'opensmtpd', 'sendmail', 'dovecot'];
if ((await passed('sh', [path.join(HERE, '../install.sh'), ...SERVERS])) !== 0) process.exit(1);

const work = mkdtempSync(path.join(tmpdir(), 'postern-cures-'));
mkdirSync(path.join(work, 'run'));
try {
  const products = values.only.split(',').filter((one) => SERVERS.includes(one));
  const read = values.quick ? 0 : await inside('syntax.ts', ...products);
  const tried = values.syntax ? 0 : await tryAll();
  process.exitCode = read + tried > 0 ? 1 : 0;
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function tryAll(): Promise<number> {
  const code = await inside('trial.ts', values.quick ? 'quick' : 'whole', values.only);
  if (code !== 0) return code;
  const trials = JSON.parse(readFileSync(path.join(work, 'trials.json'), 'utf8')) as Trial[];
  for (const { plan, check, cured, said, excused, lines } of trials) {
    if (cured && !values.verbose) continue;
    const how = cured ? 'cured' : excused === undefined ? 'NOT CURED' : `remains (${excused})`;
    process.stdout.write(`${plan}, ${check}: ${how}: ${said.slice(0, 400)}\n`);
    if (!cured && excused === undefined) process.stdout.write(`    ${lines.join('\n    ')}\n`);
  }
  const cures = new Set(trials.map(({ product, lines }) => `${product} ${lines.join('\n')}`));
  const bad = trials.filter(({ cured, excused }) => !cured && excused === undefined);
  process.stdout.write(
    `${trials.length} checks tried with ${cures.size} cures, ${bad.length} not cured\n`,
  );
  if (values.only === '' && !values.quick) readOnly(cures);
  // Nothing tried is nothing shown.
  return trials.length === 0 ? 1 : bad.length;
}

/** Cures with lines that no weak server needed: their servers read them, and that is all. */
function readOnly(tried: ReadonlySet<string>): void {
  const all = PRODUCTS.filter((product) => SERVERS.includes(product))
    .flatMap(knownCures)
    .filter((cure) => readCure(cure).parts.length > 0);
  const rest = all.filter(({ product, lines }) => !tried.has(`${product} ${lines.join('\n')}`));
  process.stdout.write(`${rest.length} of ${all.length} cures with lines were read alone\n`);
  for (const { product, checks } of values.verbose ? rest : []) {
    process.stdout.write(`    ${product}: ${checks.join(', ')}\n`);
  }
}

/** In namespaces that end with everything in them. */
function inside(program: string, ...args: readonly string[]): Promise<number> {
  const folder = path.join(work, 'run');
  const script = `ip link set lo up && mount -t tmpfs -o size=2g,mode=755 lab ${folder} &&
    echo "nameserver 127.0.0.1" > ${folder}/resolv.conf &&
    mount --bind ${folder}/resolv.conf /etc/resolv.conf && "$@"`;
  const own = [process.execPath, path.join(HERE, program), cache, folder, ...args];
  const unshared = ['-nmp', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, 'sh'];
  return passed('unshare', [...unshared, ...own]);
}

function passed(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
