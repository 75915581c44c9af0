/** Postern as it is started by its users: `bin/postern serve` with a configuration of its own. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Domain } from '#base/brand.ts';
import { openStore } from '#engine/store.ts';
import { systemRandom } from '#network/random.ts';
import { hashPassword } from '#policy/login/password.ts';
import { ROOT } from '../../laws/tree.ts';
import { Group } from '../group.ts';
import { end } from '../processes.ts';

export const DOMAIN = 'bench.test';
export const PASSWORD = 'correct-horse-7';

export interface PosternOptions {
  readonly folder: string;
  /** Accounts u0, u1 ... with one password; hashed once. */
  readonly users?: number;
  /** More TOML. */
  readonly settings?: string;
}

export interface Postern {
  readonly group: Group;
  readonly configuration: string;
  /** From the start of the process to the ready file. */
  readonly startMs: number;
  port(listener: string): number;
  stop(): Promise<void>;
}

/** What differs from the defaults. */
export function configuration(more = ''): string {
  const names = ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'];
  return [
    'myhostname = "mx.bench.test"',
    'inet_interfaces = ["127.0.0.1"]',
    ...names.map((name) => `${name}_listen = ["127.0.0.1:0"]`),
    'smtpd_client_connection_count_limit = 0',
    'self_audit = "off"',
    more,
  ].join('\n');
}

/** Makes the accounts and starts; a second start in the same folder finds everything there. */
export async function startPostern(options: PosternOptions): Promise<Postern> {
  const { folder } = options;
  const data = path.join(folder, 'data');
  const file = path.join(folder, 'postern.toml');
  const ready = path.join(folder, 'ready.json');
  mkdirSync(folder, { recursive: true });
  const text = configuration(options.settings);
  writeFileSync(file, text);
  rmSync(ready, { force: true });
  if (!existsSync(data)) await makeAccounts(data, options.users ?? 1);
  const group = new Group('postern');
  const args = ['serve', '--config', file, '--data', data, '--ready-file', ready];
  const start = performance.now();
  const profile = process.env['BENCH_PROFILE'];
  const child =
    profile === undefined
      ? group.start(path.join(ROOT, 'bin/postern'), args, path.join(folder, 'log'))
      : group.start(process.execPath, profiled(profile, args), path.join(folder, 'log'));
  while (!existsSync(ready)) {
    if (child.exitCode !== null || performance.now() - start > 20_000) {
      throw new Error(`postern did not start: ${readFileSync(path.join(folder, 'log'), 'utf8')}`);
    }
    await sleep(2);
  }
  const startMs = performance.now() - start;
  const listeners = JSON.parse(readFileSync(ready, 'utf8')).listeners;
  return {
    group,
    configuration: text,
    startMs,
    port: (name) => Number(listeners[name].port),
    stop: async () => {
      await end(child);
      group.remove();
    },
  };
}

/** For finding what to make faster: `BENCH_PROFILE=FOLDER`; such a run is no measurement. */
function profiled(folder: string, args: readonly string[]): string[] {
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--disable-warning=ExperimentalWarning'];
  return [...flags, path.join(ROOT, 'bin/postern.js'), ...args];
}

async function makeAccounts(directory: string, users: number): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const store = await openStore({ directory, log: { event: () => undefined } });
  await store.write('addDomain', { name: DOMAIN as Domain });
  const credentials = await hashPassword(PASSWORD, systemRandom);
  const nowMs = Date.now();
  await Promise.all(
    Array.from({ length: users }, (_, number) =>
      store.write('addAccount', { address: `u${number}@${DOMAIN}`, credentials, nowMs }),
    ),
  );
  await store.close();
}
