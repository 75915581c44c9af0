/** Runs in namespaces of its own: starts each server, audits it, and writes down what was told. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '#audit/report.ts';
import { startMock } from '../world/audit.ts';
import { LineClient } from '../world/line-client.ts';
import { startDnsServer, type ZoneEntry } from '../world/dns-server.ts';
import { run } from '../interop/tools.ts';
import { type Audited, auditCase, NAMES } from './audit.ts';
import { comparePeers, COMPARED, type PeerRow } from './peers.ts';
import { DELAYED, inFront, slowWay } from './ways.ts';
import { type Case, readCases } from './profile.ts';
import { DOMAIN, HOST, Root } from './root.ts';
import { keyHash, labCertificates } from './certificates.ts';
import * as servers from './servers/index.ts';
import { mockCalled } from './servers/mock.ts';
import type { Server } from './server.ts';

export interface Told {
  readonly id: string;
  readonly address: string;
  readonly ms: number;
  readonly startMs: number;
  readonly report?: Report;
  readonly failure?: string;
  readonly peers?: readonly PeerRow[];
}

/** What is wanted of a run. */
export interface Way {
  /** Profiles, twins or servers, with commas between; empty: all. */
  readonly only: string;
  readonly atOnce: number;
  /** Beside the other tools, some servers alone. */
  readonly beside: boolean;
  /** A program that is run with each server's address instead of the auditor; empty: none. */
  readonly byHand: string;
  /** Over a slow way, at level safe. */
  readonly delay: boolean;
}

const START_MS = 20_000;
const [cache = '', work = '', how = '{}'] = process.argv.slice(2);
const { only, atOnce, beside, byHand, delay } = JSON.parse(how) as Way;

const SERVERS = new Map<string, Server>(Object.entries(servers));
const wanted = only === '' ? undefined : only.split(',');
const cases = readCases().filter(
  ({ id, profile, server }) =>
    wanted === undefined || [id, profile, server].some((name) => wanted.includes(name)),
);
const some = beside ? COMPARED : delay ? DELAYED : undefined;
const chosen = some === undefined ? cases : cases.filter(({ id }) => some.has(id));
const zone: Record<string, ZoneEntry> = {
  'lab.test': { mx: [[10, 'mx.lab.test']] },
  'mx.lab.test': { a: ['127.77.0.1'] },
};
for (const [at] of chosen.entries()) {
  const { domain, address } = canaryFor(at);
  zone[domain] = { mx: [[10, `mx.${domain}`]] };
  zone[`mx.${domain}`] = { a: [address] };
  // For patterns of domains that have no end.
  zone[`${DOMAIN}.${domain}`] = { mx: [[10, `mx.${domain}`]] };
}
const dns = await startDnsServer(zone, { port: 53 });
const certificates = labCertificates(HOST, DOMAIN);
const trusted = path.join(work, 'root.pem');
writeFileSync(trusted, certificates.root);
writeFileSync(path.join(work, 'names'), `${NAMES.join('\n')}\n`);
const told: Told[] = [];
const turns = new Map<string, Promise<Told>>();
const queue = [...chosen.entries()];
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [at, one] = next;
      const result = await perform(at, one);
      told.push(result);
      const { startMs, ms, failure } = result;
      const end = failure === undefined ? '' : ` FAILED ${failure}`;
      process.stdout.write(`${one.id}: ${seconds(startMs)} to start, ${seconds(ms)}${end}\n`);
    }
  }),
);
writeFileSync(path.join(work, 'told.json'), JSON.stringify(told));
await dns.close();
process.exit();

async function perform(at: number, one: Case): Promise<Told> {
  const usual = `127.77.${1 + Math.floor(at / 200)}.${1 + (at % 200)}`;
  const address = one.address === '' ? usual : one.address;
  const begunMs = performance.now();
  let root: Root | undefined;
  try {
    if (one.server === 'dns') return await inTurn(one, () => performDns(at, one, address));
    if (one.server === 'mock') return await performMock(at, one, address);
    const server = SERVERS.get(one.server);
    if (server === undefined) throw new Error(`no server called ${one.server}`);
    // Some bind only what is an interface's own.
    const bits = address.includes(':') ? 128 : 8;
    await run('ip', ['addr', 'add', `${address}/${bits}`, 'dev', 'lo']);
    const folder = path.join(work, 'run', one.id);
    mkdirSync(folder, { recursive: true });
    root = await Root.mount(cache, server.layer, folder, certificates.of);
    for (const [file, text] of Object.entries(one.files)) root.write(file, fill(text, at, address));
    const { settings, services } = one;
    const inside = await server.write(root, {
      address,
      settings: fill(settings, at, address),
      services: fill(services, at, address),
    });
    await server.start(root);
    await answers(address);
    const startMs = performance.now() - begunMs;
    if (byHand !== '') {
      const { output } = await run(byHand, [address, one.id], { timeoutMs: 300_000 });
      process.stdout.write(`== ${one.id} ${one.what}\n${output}\n`);
      return { id: one.id, address, startMs, ms: 0, failure: 'by hand' };
    }
    const config = inside === undefined ? undefined : path.join(root.folder, inside);
    const names = path.join(work, 'names');
    const place = { address, names, config, root: trusted };
    if (one.front.length > 0) {
      const front = address.replace('127.77.', '127.79.');
      const proxy = await inFront(one.front, front, address, certificates.for(HOST, DOMAIN));
      try {
        const near = { ...place, address: front };
        return { id: one.id, address, startMs, ...(await auditCase(one, near, canaryFor(at))) };
      } finally {
        proxy.close();
      }
    }
    if (delay) {
      const slow = address.replace('127.77.', '127.78.');
      const way = await slowWay(slow, address);
      try {
        const far = { ...place, address: slow };
        const audited = await auditCase({ ...one, level: 'safe' }, far, canaryFor(at));
        return { id: one.id, address, startMs, ...audited };
      } finally {
        way.close();
      }
    }
    if (!beside) {
      const audited: Audited = await auditCase(one, place, canaryFor(at));
      return { id: one.id, address, startMs, ...audited };
    }
    const audited = await auditCase({ ...one, level: 'safe' }, place, canaryFor(at));
    const peers = await comparePeers(one.id, address, names, audited);
    return { id: one.id, address, startMs, ...audited, peers };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const log = root?.read('/var/log/lab.log').slice(-1_500) ?? '';
    const startMs = performance.now() - begunMs;
    return { id: one.id, address, startMs, ms: 0, failure: `${why}\n${log}` };
  } finally {
    await root?.stop();
  }
}

async function performMock(at: number, one: Case, address: string): Promise<Told> {
  const options = mockCalled(one.settings.trim());
  if (options === undefined) throw new Error(`no mock called ${one.settings}`);
  const mock = await startMock({ ...options, at: { host: address, port: 25 } });
  try {
    const place = { address, names: path.join(work, 'names'), config: undefined, root: trusted };
    return { id: one.id, address, startMs: 0, ...(await auditCase(one, place, canaryFor(at))) };
  } finally {
    await mock.close();
  }
}

/** Twins have the same names and addresses: one after the other. */
function inTurn(one: Case, perform: () => Promise<Told>): Promise<Told> {
  const before = turns.get(one.settings)?.catch(() => undefined) ?? Promise.resolve();
  const own = before.then(perform);
  turns.set(one.settings, own);
  return own;
}

/** The domain of the profile, its records beside those of all others, and what it has of servers. */
async function performDns(at: number, one: Case, address: string): Promise<Told> {
  const domain = one.settings.trim();
  const closing: (() => Promise<unknown>)[] = [];
  let key: Uint8Array = new Uint8Array(32);
  try {
    for (const row of one.beside) {
      const [mock = '', host = '', name = ''] = row.split(' ');
      const options = mockCalled(mock);
      if (options === undefined) throw new Error(`no mock called ${mock}`);
      const tls = certificates.for(name);
      key = keyHash(tls);
      if (!host.startsWith('127.')) await run('ip', ['addr', 'add', `${host}/32`, 'dev', 'lo']);
      const server = await startMock({ ...options, tls, at: { host, port: 25 } });
      closing.push(() => server.close());
    }
    for (const [name, entry] of Object.entries(one.zone)) dns.zone.set(name, entryOf(entry, key));
    const [web] = dns.zone.get(`mta-sts.${domain}`)?.a ?? [];
    if (one.policy !== '' && web !== undefined) {
      const { certificate: cert, key: own } = certificates.for(`mta-sts.${domain}`);
      const server = createServer({ cert, key: own }, (_, answer) => {
        answer.writeHead(200, { 'content-type': 'text/plain' }).end(one.policy);
      });
      await new Promise<void>((resolve) => server.listen(443, web, resolve));
      closing.push(() => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      });
    }
    const place = { address: domain, names: '', config: undefined, root: trusted };
    return { id: one.id, address, startMs: 0, ...(await auditCase(one, place, canaryFor(at))) };
  } finally {
    for (const close of closing) await close();
  }
}

/** TLSA data is hexadecimal in profiles; `key` is the hash of the key of the server beside. */
function entryOf(entry: unknown, key: Uint8Array): ZoneEntry {
  const { tlsa, ...rest } = entry as Omit<ZoneEntry, 'tlsa'> & {
    readonly tlsa?: readonly (Omit<NonNullable<ZoneEntry['tlsa']>[number], 'data'> & {
      readonly data: string;
    })[];
  };
  if (tlsa === undefined) return rest;
  const records = tlsa.map(({ data, ...one }) => ({
    ...one,
    data: data === 'key' ? key : Buffer.from(data, 'hex'),
  }));
  return { ...rest, tlsa: records };
}

/** Words that profiles use. */
function fill(text: string, at: number, address: string): string {
  const canary = canaryFor(at);
  return text
    .replaceAll('{address}', address)
    .replaceAll('{canary}', canary.domain)
    .replaceAll('{canary-address}', canary.address);
}

function canaryFor(at: number): { readonly domain: string; readonly address: string } {
  const address = `127.77.${250 + Math.floor(at / 250)}.${1 + (at % 250)}`;
  return { domain: `canary${at}.test`, address };
}

/** Waits until one of the usual ports takes connections. */
async function answers(address: string): Promise<void> {
  const untilMs = performance.now() + START_MS;
  while (performance.now() < untilMs) {
    for (const port of [25, 143, 24, 587, 4190]) {
      const client = await LineClient.connect(port, address).catch(() => undefined);
      client?.close();
      if (client !== undefined) return;
    }
    await sleep(50);
  }
  throw new Error('the server does not answer');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
