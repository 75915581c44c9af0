/** The real server on a directory that is going to be treated badly. */

import { type ChildProcess, spawn } from 'node:child_process';
import { argon2Sync, randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openStore } from '#engine/store.ts';
import type { Domain } from '#base/brand.ts';
import { waitFor } from '../world/postern.ts';
import type { Build } from './mutants.ts';

export const DOMAIN = 'crash.test';
/** Mail by SMTP goes to the first two; the others belong to IMAP and POP3 clients alone. */
export const ACCOUNTS = ['ann', 'ben', 'ida', 'ian', 'pop'].map((name) => `${name}@${DOMAIN}`);
export const PASSWORD = 'correct horse battery';

export interface Server {
  readonly pid: number;
  readonly data: string;
  readonly folder: string;
  readonly build: Build;
  /** From the start until every listener was up. */
  readonly readyMs: number;
  port(listener: string): number;
  output(): string;
  isUp(): boolean;
  /** Sends the signal and waits for the end; SIGKILL after ten seconds. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Waits for the end that somebody else brings; false when it does not come. */
  ended(timeoutMs: number): Promise<boolean>;
}

export interface Place {
  /** On the disk that is going to be broken. */
  readonly data: string;
  /** Beside it, on a good one: configuration, ready file. */
  readonly folder: string;
  readonly build: Build;
}

const READY_MS = 30_000;
const END_MS = 10_000;

/** Starts it stopped, hands over the process, and lets it go. */
export async function startHalted(place: Place): Promise<ChildProcess> {
  rmSync(readyFile(place), { force: true });
  const { build, data, folder } = place;
  const args = ['serve', '--data', data, '--ready-file', readyFile(place)];
  args.push('--config', path.join(folder, 'postern.toml'));
  return haltedNode(build.program, args);
}

/** A program under Node that waits for SIGCONT before its first instruction; it ends with us. */
export async function haltedNode(program: string, args: readonly string[]): Promise<ChildProcess> {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', program];
  const script = 'kill -STOP $$; exec "$@"';
  const child = spawn('sh', ['-c', script, 'sh', ...node, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  await waitFor(() => /^State:\s+T/m.test(statusOf(child.pid ?? 0)), 5_000);
  return child;
}

/** Starts it and waits until it serves; throws with its output when it ends before. */
export async function startServer(place: Place): Promise<Server> {
  const child = await startHalted(place);
  child.kill('SIGCONT');
  const server = await untilReady(place, child);
  if (server === undefined) throw new Error('the server ended before it was ready');
  return server;
}

/** Waits for a server that was let go; undefined when it was killed on the way. */
export async function untilReady(place: Place, child: ChildProcess): Promise<Server | undefined> {
  const started = performance.now();
  let output = '';
  child.stdout?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const isUp = (): boolean => child.exitCode === null && child.signalCode === null;
  const file = readyFile(place);
  await waitFor(() => existsSync(file) || !isUp(), READY_MS);
  const readyMs = performance.now() - started;
  if (!existsSync(file)) {
    const wasKilled = child.signalCode === 'SIGKILL';
    child.kill('SIGKILL');
    if (wasKilled) return undefined;
    throw new Error(`the server did not get ready: ${output.slice(0, 2_000)}`);
  }
  const ready = JSON.parse(readFileSync(file, 'utf8')) as {
    listeners: Record<string, { port: number }>;
  };
  const ended = (timeoutMs: number): Promise<boolean> => waitFor(() => !isUp(), timeoutMs);
  return {
    pid: child.pid ?? 0,
    ...place,
    readyMs,
    port: (listener) => ready.listeners[listener]?.port ?? 0,
    output: () => output,
    isUp,
    ended,
    end: async (signal) => {
      child.kill(signal);
      if (await ended(END_MS)) return;
      child.kill('SIGKILL');
      await ended(END_MS);
    },
  };
}

/** A data directory with accounts and certificates, made once and copied for each run. */
export class Template {
  readonly #folder: string;
  readonly #sinkPort: number;

  private constructor(folder: string, sinkPort: number) {
    this.#folder = folder;
    this.#sinkPort = sinkPort;
  }

  static async make(folder: string, build: Build, sinkPort: number): Promise<Template> {
    const template = new Template(folder, sinkPort);
    const place = { data: path.join(folder, 'data'), folder, build };
    await addAccounts(place.data);
    template.configure(place);
    const server = await startServer(place);
    await server.end('SIGTERM');
    return template;
  }

  /** A fresh copy; `data` and `folder` must not exist or be empty. */
  copy(place: Place, options: { readonly minimumFreeMegabytes?: number } = {}): void {
    cpSync(path.join(this.#folder, 'data'), place.data, { recursive: true });
    this.configure(place, options.minimumFreeMegabytes);
  }

  /** Writes the configuration alone. */
  configure(place: Place, minimumFreeMegabytes = 1): void {
    const listeners = ['submission', 'submissions', 'imap', 'pop3'];
    writeFileSync(
      path.join(place.folder, 'postern.toml'),
      `${listeners.map((name) => `${name}_listen = []`).join('\n')}
myhostname = "mx.${DOMAIN}"
smtp_listen = ["127.0.0.1:0"]
imaps_listen = ["127.0.0.1:0"]
pop3s_listen = ["127.0.0.1:0"]
mynetworks = ["127.0.0.0/8"]
self_audit = "off"
smtpd_client_connection_count_limit = 0
queue_minfree = "${minimumFreeMegabytes}M"
minimal_backoff_time = "1s"
maximal_backoff_time = "2s"
log_level = "warn"
[transport_maps]
"far.test" = "[127.0.0.1]:${this.#sinkPort}"
`,
    );
  }
}

/** The cheapest hash there is: the password is not the point, and is asked for a thousand times. */
async function addAccounts(data: string): Promise<void> {
  const store = await openStore({ directory: data, log: { event: () => undefined } });
  const nonce = randomBytes(16);
  const cost = { memory: 8, passes: 1, parallelism: 1, tagLength: 32 };
  const hash = argon2Sync('argon2id', { message: PASSWORD, nonce, ...cost });
  const credentials = {
    password: `$argon2id$v=19$m=8,t=1,p=1$${phc(nonce)}$${phc(hash)}`,
    scram: { salt: nonce, iterations: 4_096, storedKey: hash, serverKey: hash },
  };
  await store.write('addDomain', { name: DOMAIN as Domain });
  for (const address of ACCOUNTS) {
    await store.write('addAccount', { address, credentials, nowMs: Date.now() });
  }
  await store.close();
}

function phc(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

function readyFile(place: Place): string {
  return path.join(place.folder, 'ready.json');
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
