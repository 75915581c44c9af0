/** Runs in namespaces of its own: each weak server is audited, cured with the auditor's lines, and audited again. */

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cure, Product } from '#audit/check.ts';
import { readCure } from '#audit/cure.ts';
import { type Finding, isFound } from '#audit/finding.ts';
import type { Report } from '#audit/report.ts';
import { run } from '../../interop/tools.ts';
import { startDnsServer } from '../../world/dns-server.ts';
import { LineClient } from '../../world/line-client.ts';
import { NAMES, STRANGER } from '../audit.ts';
import { takesLogin, takesMail } from '../mail.ts';
import { DOMAIN, PASSWORD, type Root } from '../root.ts';
import type { Server, ServerPlan } from '../server.ts';
import * as servers from '../servers/index.ts';
import { mountBed, writeMended } from './bed.ts';
import { CHECKS } from './known.ts';
import { PLANS } from './plans.ts';
import type { WeakPlan } from './weak.ts';

/** `cured`: found before, not observed after, and mail goes on. */
export interface Trial {
  readonly plan: string;
  readonly product: string;
  readonly check: string;
  readonly lines: readonly string[];
  readonly cured: boolean;
  /** What is told instead. */
  readonly said: string;
  /** Why it may remain. */
  readonly excused: string | undefined;
}

const POSTERN = path.join(import.meta.dirname, '../../../bin/postern');
const START_MS = 15_000;
const [cache = '', work = '', kind = '', only = '', atOnce = '2'] = process.argv.slice(2);

await startDnsServer(
  {
    'lab.test': { mx: [[10, 'mx.lab.test']] },
    'mx.lab.test': { a: ['127.77.3.1'] },
    // Who writes to us, to see that mail goes on.
    'sender.test': { mx: [[10, 'mx.sender.test']], a: [STRANGER] },
    'mx.sender.test': { a: [STRANGER] },
  },
  { port: 53 },
);
writeFileSync(path.join(work, 'names'), `${NAMES.join('\n')}\n`);
const quick = kind === 'quick';
const wanted = only === '' ? undefined : only.split(',');
const queue = [
  ...PLANS.filter(({ id, server, quick: part }) => {
    if (quick && part === undefined) return false;
    return wanted === undefined || wanted.includes(server) || wanted.includes(id);
  }).entries(),
];
const trials: Trial[] = [];
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      trials.push(...(await perform(next[0], next[1])));
    }
  }),
);
// Beside the folder in memory, which is gone with the namespace.
writeFileSync(path.join(work, '../trials.json'), JSON.stringify(trials));
process.exit();

async function perform(at: number, weak: WeakPlan): Promise<Trial[]> {
  const startMs = performance.now();
  const address = `127.77.3.${1 + at}`;
  const server = new Map<string, Server>(Object.entries(servers)).get(weak.server);
  if (server === undefined) throw new Error(`no server called ${weak.server}`);
  await run('ip', ['addr', 'add', `${address}/8`, 'dev', 'lo']);
  const root = await mountBed(cache, work, server, `t${at}`);
  for (const [file, text] of Object.entries(weak.files ?? {})) root.write(file, text);
  const fill = (text: string): string => text.replaceAll('{address}', address);
  const plan = { address, settings: fill(weak.settings), services: fill(weak.services ?? '') };
  const rows: Trial[] = [];
  const row = (check: string, lines: readonly string[], cured: boolean, said: string): void => {
    const excused = weak.remains?.[check];
    rows.push({ plan: weak.id, product: weak.server, check, lines, cured, said, excused });
  };
  const bed = { root, server, plan, weak };
  const tried = quick ? (weak.quick ?? []) : weak.only;
  const before = await audited(bed, undefined, tried);
  if (typeof before === 'string') row('(start)', [], false, before);
  else {
    const found = before
      .filter(isFound)
      .map(({ id }) => id)
      .filter((id) => tried.some((one) => id === one || id.startsWith(`${one}.`)));
    const planted = quick ? (weak.quick ?? []).filter((id) => id.includes('.')) : weak.planted;
    for (const id of planted.filter((one) => !found.includes(one))) {
      row(id, [], false, 'it is not found before the cure');
    }
    for (const { cure, checks } of curesOf(weak.server as Product, found)) {
      const after = await audited(bed, cure, checks);
      for (const check of checks) {
        if (typeof after === 'string') row(check, cure.lines, false, after);
        else row(check, cure.lines, ...judged(after.filter(({ id }) => id === check)));
      }
    }
  }
  for (const { check, lines } of weak.wrong ?? []) {
    const after = await audited(bed, { product: weak.server as Product, lines }, [check]);
    if (typeof after === 'string' || after.some(isFound)) continue;
    row(check, lines, false, 'the control: these lines are no cure, and passed as one');
  }
  await root.stop();
  const good = rows.filter(({ cured, excused }) => cured || excused !== undefined).length;
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  process.stdout.write(`${weak.id}: ${good} of ${rows.length} cured, ${seconds} s\n`);
  return rows;
}

/** The cures with lines, each with what it is said to cure here. */
function curesOf(
  product: Product,
  found: readonly string[],
): readonly { readonly cure: Cure; readonly checks: readonly string[] }[] {
  const all = new Map<string, { cure: Cure; checks: string[] }>();
  for (const { id, cures } of CHECKS) {
    const cure = cures.find((one) => one.product === product);
    if (cure === undefined || !found.includes(id) || readCure(cure).parts.length === 0) continue;
    const key = cure.lines.join('\n');
    const known = all.get(key) ?? { cure, checks: [] };
    known.checks.push(id);
    all.set(key, known);
  }
  return [...all.values()];
}

interface Bed {
  readonly root: Root;
  readonly server: Server;
  readonly plan: ServerPlan;
  readonly weak: WeakPlan;
}

/** What the auditor says of the server, or why there is nothing to say; a cured one takes mail. */
async function audited(
  { root, server, plan, weak }: Bed,
  cure: Cure | undefined,
  checks: readonly string[],
): Promise<readonly Finding[] | string> {
  try {
    const { file, restore } = await writeMended(root, server, plan, cure);
    await server.start(root);
    await answers(plan.address);
    const report = await audit(plan.address, weak, checks, file && path.join(root.folder, file));
    const takes = weak.server === 'dovecot' ? takesLogin : takesMail;
    const refused = cure === undefined ? undefined : await takes(plan.address);
    restore();
    return refused === undefined ? report.findings : `mail is broken: ${refused}`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `${why} ${root.read('/var/log/lab.log').slice(-300)}`;
  } finally {
    await root.stop();
  }
}

async function audit(
  address: string,
  { level = 'safe', options = [] }: WeakPlan,
  checks: readonly string[],
  file: string | undefined,
): Promise<Report> {
  const { output } = await run(
    POSTERN,
    [
      'audit',
      address,
      `--source=${STRANGER}`,
      `--level=${level}`,
      `--names=${path.join(work, 'names')}`,
      '--resolver=127.0.0.1',
      `--only=${checks.join()}`,
      '--json',
      ...(options.some((one) => one.startsWith('--domain')) ? [] : [`--domain=${DOMAIN}`]),
      ...(file === undefined ? [] : ['--config', file]),
      ...options,
    ],
    { timeoutMs: 200_000, env: { POSTERN_PASSWORD: PASSWORD } },
  );
  try {
    return JSON.parse(output.slice(output.indexOf('{'))) as Report;
  } catch {
    throw new Error(`the auditor said no JSON: ${output.slice(0, 500)}`);
  }
}

/** No finding at all: the port is closed to strangers now. */
function judged(findings: readonly Finding[]): [cured: boolean, said: string] {
  const worst =
    findings.find(isFound) ?? findings.find(({ confidence }) => confidence === 'inconclusive');
  return worst === undefined
    ? [true, findings[0]?.seen ?? 'nothing answers there any more']
    : [false, `${worst.confidence}: ${worst.seen}`];
}

async function answers(address: string): Promise<void> {
  const untilMs = performance.now() + START_MS;
  while (performance.now() < untilMs) {
    for (const port of [25, 143]) {
      const client = await LineClient.connect(port, address).catch(() => undefined);
      client?.close();
      if (client !== undefined) return;
    }
    await sleep(50);
  }
  throw new Error('the server does not answer');
}
