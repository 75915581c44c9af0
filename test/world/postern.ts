/** A real Postern in a process of its own, started and stopped as its users do it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../laws/tree.ts';
import { STALL_FILE, STALL_MS, type Stall } from '../stall.ts';

/** What `--ready-file` says. */
export interface Ready {
  readonly domain: string;
  /** Path of the PEM file to trust. */
  readonly ca: string;
  readonly accounts: readonly { readonly address: string; readonly password: string }[];
  readonly listeners: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
}

export interface Running {
  readonly ready: Ready;
  readonly folder: string;
  /** Everything it printed so far. */
  output(): string;
  readonly child: ChildProcess;
  /** Turns of its event loop, since it was ready, in which one input blocked all others. */
  stalls(): readonly Stall[];
  /**
   * Ends with the signal and waits; the folder stays until `remove`. Throws when there was a
   * stall, unless `allowStalls`: no test passes while a single input blocks the loop.
   */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Starts again on the same data. */
  restart(): Promise<Running>;
  remove(): void;
}

export interface StartOptions {
  readonly folder?: string;
  /** TOML for `--config`; without it the demo starts. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another `postern` than the checkout's. */
  readonly program?: string;
  /** What a ready file does not say again at a second start. */
  readonly keep?: Partial<Ready>;
  /** For tests that make it stall. Default false. */
  readonly allowStalls?: boolean;
}

const POSTERN = path.join(ROOT, 'bin/postern');
const READY_MS = 60_000;
const PRINTED_MS = 5_000;
const DETECTOR = path.join(ROOT, 'test/stall.ts');

/** Starts and waits until it is ready; throws with its output when it ends before. */
export async function startPostern(options: StartOptions = {}): Promise<Running> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'postern-test-'));
  const readyFile = path.join(folder, 'ready.json');
  rmSync(readyFile, { force: true });
  const args = ['serve', '--data', path.join(folder, 'data'), '--ready-file', readyFile];
  if (options.config !== undefined) {
    // The start's own audit takes seconds: it has tests of its own.
    const audited = options.config.includes('self_audit') ? '' : 'self_audit = "off"\n';
    writeFileSync(path.join(folder, 'postern.toml'), `${audited}${options.config}`);
    args.push('--config', path.join(folder, 'postern.toml'));
  }
  const stallFile = path.join(folder, 'stalls');
  rmSync(stallFile, { force: true });
  const child = spawn(options.program ?? POSTERN, args, {
    env: { ...process.env, NO_COLOR: '1', ...options.env, ...watched(stallFile, options.env) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await waitFor(() => existsSync(readyFile) || child.exitCode !== null, READY_MS);
  if (!existsSync(readyFile)) {
    child.kill('SIGKILL');
    throw new Error(`postern did not get ready: ${output}`);
  }
  // What it printed is in the pipe by then, but it need not be read.
  if (!(await waitFor(() => /\bready\b/i.test(output), PRINTED_MS))) {
    child.kill('SIGKILL');
    throw new Error(`postern does not say that it is ready: ${output}`);
  }
  const readyMs = Date.now();
  const stalls = (): readonly Stall[] => readStalls(stallFile, readyMs);
  const ready: Ready = { ...JSON.parse(readFileSync(readyFile, 'utf8')), ...options.keep };
  return {
    ready,
    folder,
    child,
    output: () => output,
    stalls,
    stop: async (signal = 'SIGTERM') => {
      const found = child.exitCode === null ? stalls() : [];
      const code = await stopChild(child, signal);
      if (found.length > 0 && options.allowStalls !== true) throw stalled(found);
      return code;
    },
    // Passwords are told once, at the first start.
    restart: () => startPostern({ ...options, folder, keep: { accounts: ready.accounts } }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The environment in which a server notes its stalls. */
function watched(file: string, env: StartOptions['env'] = {}): Record<string, string> {
  const before = env['NODE_OPTIONS'] ?? process.env['NODE_OPTIONS'] ?? '';
  const options = `${before} --import=${pathToFileURL(DETECTOR).href}`.trim();
  return { [STALL_FILE]: file, NODE_OPTIONS: options };
}

/** Starting up blocks nobody, so what began before `sinceMs` does not count. */
function readStalls(file: string, sinceMs: number): readonly Stall[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Stall => JSON.parse(line))
    .filter(({ atMs, wallMs }) => atMs - wallMs >= sinceMs);
}

function stalled(stalls: readonly Stall[]): Error {
  const words = stalls.map(
    ({ atMs, wallMs, cpuMs, events }) =>
      `${new Date(atMs).toISOString()}: ${cpuMs.toFixed(0)} ms of CPU in ${wallMs.toFixed(0)} ms, ` +
      `${events} events`,
  );
  return new Error(`one input blocked the server for over ${STALL_MS} ms:\n${words.join('\n')}`);
}

/** Polls a condition; false when the time is over. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    if (await condition()) return true;
    await sleep(10);
  }
  return false;
}

async function stopChild(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const hard = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(hard);
  return child.exitCode;
}
