/** Peers from npm, installed by install.sh in a folder outside the repository. */

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineClient } from '../../world/line-client.ts';
import { Group } from '../group.ts';
import { end } from '../processes.ts';

/** Where install.sh puts them. */
export const PEERS = process.env['BENCH_PEERS'] ?? '/var/tmp/postern-bench/npm';

export interface NpmPeer {
  readonly group: Group;
  stop(): Promise<void>;
}

/** The version, or undefined when it is not installed. */
export function npmVersion(name: string): string | undefined {
  const file = path.join(PEERS, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/** smtp-server takes content and drops it: the protocol alone, nothing is kept. */
export async function startSmtpServer(folder: string, port: number): Promise<NpmPeer> {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'server.cjs');
  writeFileSync(file, smtpServerProgram(port));
  return started('smtp-server', folder, port, [file]);
}

export function smtpServerProgram(port: number | string): string {
  return `const { SMTPServer } = require('${path.join(PEERS, 'node_modules/smtp-server')}');
new SMTPServer({ secure: false, authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true, logger: false, size: 50e6, maxClients: 2000,
  onData(stream, session, done) { stream.on('data', () => {}); stream.on('end', () => done(null)); },
}).listen(${port}, '127.0.0.1');
`;
}

/** Haraka that keeps mail in its queue (no sink), or sends it on to the port of a sink. */
export async function startHaraka(folder: string, port: number, sink?: number): Promise<NpmPeer> {
  const config = path.join(folder, 'config');
  mkdirSync(path.join(folder, 'queue'), { recursive: true });
  mkdirSync(path.join(folder, 'plugins'), { recursive: true });
  mkdirSync(config, { recursive: true });
  const package_ = path.join(PEERS, 'node_modules/Haraka');
  for (const [name, text] of Object.entries(harakaConfiguration(port, sink))) {
    writeFileSync(path.join(folder, name), text);
  }
  // Haraka does not start without the file that it brings along.
  cpSync(path.join(package_, 'config/connection.ini'), path.join(config, 'connection.ini'));
  return started('haraka', folder, port, [path.join(package_, 'bin/haraka'), '-c', folder]);
}

/** Its files; one process, as Postern is one. */
export function harakaConfiguration(
  port: number | string,
  sink: number | undefined,
): Readonly<Record<string, string>> {
  const outbound = ['concurrency_max=100', 'enable_tls=false', 'local_mx_ok=true'];
  if (sink === undefined) outbound.push('disabled=true');
  return {
    'config/smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n[main]\n`,
    'config/me': 'mx.bench.test\n',
    'config/loglevel': 'warn\n',
    'config/log.ini': '[main]\nlevel=warn\nformat=default\n',
    'config/outbound.ini': `${outbound.join('\n')}\n`,
    'config/plugins': 'bench\n',
    'plugins/bench.js': `exports.hook_connect = (next, c) => { c.relaying = true; next(); };
exports.hook_mail = (next) => next(OK);
exports.hook_rcpt = (next) => next(OK);
exports.hook_lookup_rdns = (next) => next(OK, 'localhost');
exports.hook_get_mx = (next) =>
  next(OK, { exchange: '127.0.0.1', port: ${sink ?? 9}, priority: 0 });
`,
  };
}

/** Starts a program on this Node and waits for its greeting. */
export async function started(
  name: string,
  folder: string,
  port: number,
  args: readonly string[],
): Promise<NpmPeer> {
  const group = new Group(name);
  const log = path.join(folder, 'log');
  const child = group.start(process.execPath, args, log);
  for (let tries = 0; ; tries += 1) {
    if (await answers(port)) break;
    if (child.exitCode !== null || tries > 100) {
      await end(child, 'SIGKILL');
      throw new Error(`${name} did not start: ${readFileSync(log, 'utf8').slice(-500)}`);
    }
    await sleep(100);
  }
  return {
    group,
    stop: async () => {
      await end(child);
      group.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    const client = await LineClient.connect(port);
    const greeting = await Promise.race([client.line(), sleep(2_000)]);
    client.close();
    return typeof greeting === 'string' && greeting.startsWith('220');
  } catch {
    return false;
  }
}
