/** Side by side: nmap's mail scripts and smtp-user-enum's method against a server of the lab. */

import { readFileSync } from 'node:fs';
import type { Report } from '#audit/report.ts';
import { isFound } from '#audit/finding.ts';
import { LineClient } from '../world/line-client.ts';
import { run } from '../interop/tools.ts';
import { type Audited, NAMES, STRANGER } from './audit.ts';
import { DOMAIN, USERS } from './root.ts';

export interface PeerRow {
  readonly profile: string;
  readonly tool: string;
  readonly ms: number;
  readonly connections: number;
  readonly said: string;
}

/** Profiles that are worth the comparison. */
export const COMPARED = new Set([
  'P01',
  'P02',
  'P03',
  'P04',
  'P05',
  'P07',
  'P09',
  'E01',
  'O01',
  'S02',
  'D01',
]);

const SCRIPTS = [
  'smtp-commands',
  'smtp-open-relay',
  'smtp-enum-users',
  'smtp-ntlm-info',
  'smtp-strangeport',
  'imap-capabilities',
  'pop3-capabilities',
];
const WORKERS = 5;
/** As smtp-user-enum waits for an answer. */
const PATIENCE_MS = 5_000;

/** What each peer says of a server, with our own row first. */
export async function comparePeers(
  profile: string,
  address: string,
  names: string,
  ours: Audited,
): Promise<readonly PeerRow[]> {
  const rows = [ownRow(profile, ours), await nmapRow(profile, address, names)];
  if (!ours.report.services.some(({ port }) => port === 25)) return rows;
  return [...rows, await enumRow(profile, address)];
}

function ownRow(profile: string, { report, ms }: Audited): PeerRow {
  const connections = report.spent.connections;
  return { profile, tool: `postern, ${report.level}`, ms, connections, said: ownWords(report) };
}

function ownWords({ services, findings }: Report): string {
  const products = services.map(({ port, product }) => `${port} ${product}`).join(', ');
  const relay = findings.filter((one) => isFound(one) && /^relay\.[nr]\d/.test(one.id));
  const users = findings.filter((one) => isFound(one) && one.id.startsWith('users.'));
  const grave = findings.filter(
    (one) => isFound(one) && ['medium', 'high', 'critical'].includes(one.severity),
  );
  return [
    products,
    relay.length === 0 ? 'no relay' : `relays in ${relay.length} forms`,
    users.length === 0
      ? 'users not to be told'
      : `users by ${users.map(({ id }) => id.slice(6)).join(', ')}`,
    `${new Set(grave.map(({ id }) => id)).size} findings of medium or more`,
  ].join('; ');
}

async function nmapRow(profile: string, address: string, names: string): Promise<PeerRow> {
  const before = opened();
  const startMs = performance.now();
  const { output } = await run(
    'nmap',
    [
      '-n',
      '-Pn',
      '-sT',
      '-sV',
      '-p',
      '24,25,110,143,465,587,993,995,4190',
      '--script',
      SCRIPTS.join(),
      '--script-args',
      `userdb=${names},smtp-enum-users.methods={RCPT},smtp-enum-users.domain=${DOMAIN}`,
      address,
    ],
    { timeoutMs: 120_000 },
  );
  const ms = performance.now() - startMs;
  return { profile, tool: 'nmap', ms, connections: opened() - before, said: nmapWords(output) };
}

/** The versions and what the scripts print, on one line. */
function nmapWords(output: string): string {
  const lines = output.split('\n').flatMap((line) => {
    const port = /^(\d+)\/tcp\s+open\s+(.*)$/.exec(line);
    if (port !== null) return [`${port[1]} ${(port[2] ?? '').replace(/\s+/g, ' ')}`];
    return line.startsWith('|') && !/commands|^\|_?\s+(?:PIPELINING|This server)/i.test(line)
      ? [line.replace(/^\|[_ ]*/, '').trim()]
      : [];
  });
  const text = lines.filter((line) => line !== '').join('; ');
  return text.length > 420 ? `${text.slice(0, 420)}…` : text;
}

async function enumRow(profile: string, address: string): Promise<PeerRow> {
  const queue = [...NAMES];
  const found: string[] = [];
  let connections = 0;
  const startMs = performance.now();
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      connections += 1;
      const answer = await asks(address, name).catch(() => '');
      if (/^2\d\d/.test(answer)) found.push(name);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  const right = found.filter((name) => (USERS as readonly string[]).includes(name)).length;
  const said = `${found.length} of ${NAMES.length} exist, ${right} of them do; ${USERS.length - right} missed`;
  const ms = performance.now() - startMs;
  return { profile, tool: 'smtp-user-enum (method)', ms, connections, said };
}

async function asks(address: string, name: string): Promise<string> {
  const client = await LineClient.connect(25, address, PATIENCE_MS, STRANGER);
  try {
    await client.reply();
    await client.ask('HELO x');
    await client.ask('MAIL FROM:user@example.com');
    return await client.ask(`RCPT TO:${name}@${DOMAIN}`);
  } finally {
    client.close();
  }
}

/** Connections that were opened in this network namespace so far. */
function opened(): number {
  const [names = '', values = ''] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'));
  const at = names.split(' ').indexOf('ActiveOpens');
  return Number(values.split(' ')[at] ?? 0);
}
