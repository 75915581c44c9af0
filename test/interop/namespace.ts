/** Worlds in a network and mount namespace of their own: how tests run them, and what they share. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { run, without } from './tools.ts';

/** A reason to skip when the programs, or namespaces, cannot be had: for node:test's `skip`. */
export function withoutNamespace(...programs: readonly string[]): string | false {
  const isRoot = process.getuid?.() === 0;
  return without(...programs, 'unshare', 'ip', 'mount') || (isRoot ? false : 'needs root');
}

/** Runs a world: a file beside this one. It has to end well and to say ok to each of these. */
export async function world(
  file: string,
  { expected, timeoutMs }: { readonly expected: readonly string[]; readonly timeoutMs: number },
): Promise<void> {
  const program = path.join(import.meta.dirname, file);
  const inside = `ip link set lo up && exec ${process.execPath} ${program}`;
  const { code, output } = await run('unshare', ['-n', '-m', 'sh', '-c', inside], { timeoutMs });
  assert.equal(code, 0, output);
  const said = new Set(output.split('\n'));
  for (const line of expected) assert.ok(said.has(`ok: ${line}`), `${line}\n${output}`);
}

/** Inside: a folder that every user may enter, and nobody who answers for names, at once. */
export async function enter(name: string): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), `postern-${name}-`));
  // Postfix' own user must get through to its folders.
  chmodSync(folder, 0o755);
  writeFileSync(path.join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  await run('mount', ['--bind', path.join(folder, 'resolv.conf'), '/etc/resolv.conf']);
  return folder;
}

/** Makes the address an interface's own: Postfix binds nothing else. */
export async function own(address: string): Promise<string> {
  await run('ip', ['addr', 'add', `${address}/8`, 'dev', 'lo']);
  return address;
}

/** Inside: tells the test whether something holds, and why not. */
export function check(what: string, holds: boolean, detail: unknown): void {
  process.stdout.write(`${holds ? 'ok' : 'NOT ok'}: ${what}\n`);
  if (holds) return;
  process.stdout.write(`${JSON.stringify(detail, undefined, 1).slice(0, 6_000)}\n`);
  process.exitCode = 1;
}

export interface Profile {
  readonly folder: string;
  readonly address: string;
  readonly domain: string;
  /** Local parts that it has. What comes for them is thrown away. */
  readonly users: readonly string[];
  readonly settings: string;
}

/** Inside: one Postfix on an address of its own, gone behind the task. */
export async function withPostfix(
  { folder, address, domain, users, settings }: Profile,
  task: (address: string) => Promise<void>,
): Promise<void> {
  await own(address);
  const place = path.join(folder, address);
  const table = path.join(folder, `users-${address}`);
  const local = users.map((user) => `${user}@${domain} ${user}\n${user} ${user}\n`);
  writeFileSync(table, local.join(''));
  const postfix = await startPostfix({
    folder: place,
    domain: 'virtual.test',
    users: [],
    address,
    settings: `myorigin = ${domain}
mydestination = ${domain}
local_recipient_maps = texthash:${table}
local_transport = discard
smtpd_peername_lookup = no
smtp_tls_security_level = none
${settings}`,
  });
  // Between two connections the auditor only waits, and its timers keep no process up: its command has the same.
  const awake = setInterval(() => undefined, 1_000);
  try {
    await greets(address, postfix);
    await task(address);
  } finally {
    clearInterval(awake);
    await postfix.stop();
  }
}

/** Postfix' master waits a minute after a child of its that could not start: so do we. */
async function greets(address: string, postfix: Postfix): Promise<void> {
  const there = await waitFor(async () => {
    try {
      const client = await LineClient.connect(25, address, 3_000);
      const greeting = await client.line();
      client.close();
      return greeting?.startsWith('220') ?? false;
    } catch {
      return false;
    }
  }, 75_000);
  if (!there) throw new Error(`Postfix at ${address} does not greet: ${postfix.log()}`);
}
