/** strace as the nemesis: kills at, spoils or records the system calls of a running server. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../world/postern.ts';

/** Everything that changes a disk, or tells somebody that it did. */
export const CALLS = [
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'fsync',
  'fdatasync',
  'ftruncate',
  'rename',
  'unlink',
  'openat',
  'mkdir',
] as const;

export interface Tracing {
  /** Lets go of the server, if it is still there, and waits until strace has ended. */
  detach(): Promise<void>;
  /** The record so far; complete after `detach`. */
  log(): string;
}

export interface TraceOptions {
  readonly pid: number;
  /** `inject` expressions, such as `fdatasync:signal=KILL:when=3`. */
  readonly inject?: readonly string[];
  readonly calls?: readonly string[];
  /** Where the record goes; none is kept without it. */
  readonly log?: string;
  /** These threads alone, instead of all that there are and will be. */
  readonly threads?: readonly number[];
  /** Only calls that touch this file. */
  readonly file?: string;
}

const ATTACH_MS = 10_000;
const QUIET_MS = 750;

/** Whether strace is there and may trace. */
export function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Attaches to a server; resolves when every thread is held. */
export async function trace(options: TraceOptions): Promise<Tracing> {
  const { pid, inject = [], calls = CALLS, log = '/dev/null', threads, file } = options;
  const args = ['-y', '-s', '24', '-o', log, '-e', 'signal=none'];
  if (threads === undefined) args.push('-f', '-p', String(pid));
  else for (const thread of threads) args.push('-p', String(thread));
  const spoiled = inject.map((one) => one.split(':', 1)[0] ?? '');
  const traced = inject.length === 0 ? calls : [...spoiled, ...(options.calls ?? [])];
  args.push('-e', `trace=${[...new Set(traced)].join(',')}`);
  for (const one of inject) args.push('-e', `inject=${one}`);
  if (file !== undefined) args.push('-P', file);
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const wanted = threads?.length ?? 1;
  const isOn = (): boolean => (output.match(/Process \d+ attached/g)?.length ?? 0) >= wanted;
  await waitFor(() => isOn() || child.exitCode !== null, ATTACH_MS);
  if (!isOn()) throw new Error(`strace does not attach: ${output}`);
  return {
    detach: () => endOf(child),
    log: () => readFileSync(log, 'utf8'),
  };
}

/**
 * Waits until these threads write nothing any more: what is done behind (the search index waits
 * half a second) must not be what the next failing call belongs to.
 */
export async function quiet(pid: number, threads: readonly number[]): Promise<void> {
  const written = (): string =>
    threads
      .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/io`, 'utf8'))
      .map((io) => /^syscw: \d+$/m.exec(io)?.[0])
      .join();
  let [last, sinceMs] = [written(), performance.now()];
  await waitFor(() => {
    const now = written();
    if (now !== last) [last, sinceMs] = [now, performance.now()];
    return performance.now() - sinceMs >= QUIET_MS;
  }, ATTACH_MS);
}

async function endOf(child: ChildProcess): Promise<void> {
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (over()) return;
  child.kill('SIGINT');
  if (await waitFor(over, 5_000)) return;
  child.kill('SIGKILL');
  await sleep(20);
}

/** The threads of a server that bear one of the names. */
export function threadsOf(pid: number, ...names: string[]): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .filter((task) => names.includes(readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim()))
    .map(Number);
}

/** One call of the record. */
export interface Call {
  readonly thread: number;
  readonly name: string;
  /** Of the descriptor or name it is about. */
  readonly path: string;
  readonly text: string;
  /** What it returned; -1: an error. */
  readonly result: number;
}

const LINE = /^(?:(\d+)\s+)?(\w+)\((.*)\)\s+= (-?\d+)(<[^>]*>)?/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$/;
const UNFINISHED = /^(\d+)\s+(.*) <unfinished \.\.\.>$/;

/** Reads a record; a call that was cut off by the end is left out. In the order of their ends. */
export function readCalls(log: string): Call[] {
  const open = new Map<string, string>();
  const calls: Call[] = [];
  for (const line of log.split('\n')) {
    const unfinished = UNFINISHED.exec(line);
    if (unfinished !== null) {
      open.set(unfinished[1] ?? '', line.replace(' <unfinished ...>', ''));
      continue;
    }
    const resumed = RESUMED.exec(line);
    const whole = resumed === null ? line : `${open.get(resumed[1] ?? '') ?? ''}${resumed[3]}`;
    const match = LINE.exec(whole);
    if (match === null) continue;
    const [, thread, name = '', text = '', result, target = ''] = match;
    calls.push({
      thread: Number(thread),
      name,
      text,
      result: Number(result),
      path: pathOf(name, text, target),
    });
  }
  return calls;
}

/** The file: what a new descriptor stands for, else the first one or the first name. */
function pathOf(name: string, text: string, target: string): string {
  if (name === 'openat') return target.slice(1, -1);
  const described = /^\d+<([^>]*)>/.exec(text)?.[1];
  return described ?? /"([^"]*)"/.exec(text)?.[1] ?? '';
}

/** Where a kill can be put: before the n-th call of that name of some thread. */
export interface CallPoint {
  readonly call: string;
  readonly number: number;
}

/** Every such point, or only those that touch files below a directory. */
export function pointsIn(calls: readonly Call[], below = ''): CallPoint[] {
  const numbers = new Map<string, number>();
  const points = new Map<string, CallPoint>();
  for (const { name, thread, path, text } of calls) {
    const number = (numbers.get(`${name} ${thread}`) ?? 0) + 1;
    numbers.set(`${name} ${thread}`, number);
    if (!path.startsWith(below) && !text.includes(below)) continue;
    points.set(`${name} ${number}`, { call: name, number });
  }
  return [...points.values()];
}
