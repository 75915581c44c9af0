/** A server under measurement with all its children: what they use of the processor and memory. */

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync } from 'node:fs';
import { readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';

const ROOT = '/sys/fs/cgroup/cpuacct';
const TICKS = 100;
const running = new Set<Group>();
let count = 0;

/** How processor time is counted here, for the page. */
export function accounting(): string {
  return hasCgroups()
    ? 'a cpuacct control group for each server: all processes, those that ended included'
    : 'the sum over /proc of the server and its descendants, ended children as far as waited for';
}

/** Processes that count as one server. */
export class Group {
  readonly #folder: string | undefined;
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    count += 1;
    running.add(this);
    if (!hasCgroups()) return;
    this.#folder = path.join(ROOT, `postern_bench_${process.pid}_${count}_${name}`);
    mkdirSync(this.#folder);
  }

  /** Starts a program in the group; its output goes to a file. */
  start(program: string, args: readonly string[], log: string): ChildProcess {
    const output = openSync(log, 'a');
    const enter = this.#folder === undefined ? '' : `echo $$ > ${this.#folder}/cgroup.procs; `;
    const child = spawn('/bin/sh', ['-c', `${enter}exec "$0" "$@"`, program, ...args], {
      stdio: ['ignore', output, output],
      env: { ...process.env, NO_COLOR: '1' },
    });
    closeSync(output);
    this.#children.push(child);
    return child;
  }

  /** Seconds of processor time so far, user and system. */
  cpuSeconds(): number {
    if (this.#folder !== undefined) {
      return Number(readFileSync(path.join(this.#folder, 'cpuacct.usage'), 'latin1')) / 1e9;
    }
    return this.#pids().reduce((sum, pid) => sum + ticksOf(pid), 0) / TICKS;
  }

  /** Proportional set size: shared pages are split between those who share them. */
  memory(what: 'Pss' | 'Rss' = 'Pss'): { readonly mib: number; readonly processes: number } {
    const sizes = this.#pids()
      .map((pid) => memoryKib(pid, what))
      .filter((kib) => kib > 0);
    return { mib: sizes.reduce((sum, kib) => sum + kib, 0) / 1_024, processes: sizes.length };
  }

  /** After everything in it has ended. */
  remove(): void {
    running.delete(this);
    if (this.#folder === undefined) return;
    try {
      rmdirSync(this.#folder);
    } catch {
      // A process that is still ending keeps an empty folder: it does no harm.
    }
  }

  /** Ends whatever runs in it, now. */
  kill(): void {
    for (const pid of this.#pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  }

  #pids(): number[] {
    if (this.#folder !== undefined) {
      const text = readFileSync(path.join(this.#folder, 'cgroup.procs'), 'latin1');
      return text.trim().split('\n').filter(Boolean).map(Number);
    }
    const wanted = new Set(this.#children.map(({ pid }) => pid));
    const all = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    for (const pid of all) if (wanted.has(parentOf(pid))) wanted.add(pid);
    return all.filter((pid) => wanted.has(pid));
  }
}

/** When the bench is interrupted, nothing that it started stays. */
export function killAll(): void {
  for (const group of running) {
    group.kill();
    group.remove();
  }
}

function hasCgroups(): boolean {
  try {
    accessSync(ROOT, constants.W_OK);
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1] ?? 0);
}

function ticksOf(pid: number): number {
  return statOf(pid)
    .slice(11, 15)
    .reduce((sum, value) => sum + Number(value), 0);
}

function memoryKib(pid: number, what: 'Pss' | 'Rss'): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const line = text.split('\n').find((one) => one.startsWith(`${what}:`));
    return Number(/\d+/.exec(line ?? '')?.[0] ?? 0);
  } catch {
    return 0;
  }
}
