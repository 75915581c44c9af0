/** The power switch: a proxy process that cuts a disk off on reading the server's answer. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { LineClient } from '../world/line-client.ts';
import type { Connect, Stage } from './stage.ts';

const PROGRAM = path.join(import.meta.dirname, 'cutter.py');

/** Whether such a disk can be made and cut here: root, mount, ext4, python3. */
export function whyNoCut(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const needed = [
    ['python3', '--version'],
    ['mkfs.ext4', '-V'],
    ['losetup', '--list'],
  ] as const;
  for (const [program, option] of needed) {
    try {
      execFileSync(program, [option], { stdio: 'ignore' });
    } catch {
      return `needs ${program}`;
    }
  }
  return undefined;
}

/** One switch for one life of a server: what it cut stays cut until the disk is remounted. */
export class Cutter {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start(disk: string): Promise<Cutter> {
    const cutter = new Cutter(spawn('python3', [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] }));
    await cutter.#order({ disk });
    return cutter;
  }

  /** How clients connect through it. */
  async connections(stage: Stage): Promise<Connect> {
    const ports = new Map<string, number>();
    for (const listener of ['smtp', 'imaps', 'pop3s']) {
      const open = stage.server.port(listener);
      const { port } = await this.#order({ open, tls: listener !== 'smtp' });
      ports.set(listener, Number(port));
    }
    return (listener) => LineClient.connect(ports.get(listener) ?? 0);
  }

  /** The power goes with the n-th answer that matches. */
  async arm(pattern: string, after = 1): Promise<void> {
    await this.#order({ arm: pattern, after });
  }

  /** The power goes. */
  async now(): Promise<void> {
    await this.#order({ now: true });
  }

  /** Resolves when it has cut; false when the time is over. */
  async hasCut(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    void this.#lines.next().then(({ value }) => resolve(String(value).includes('cut')));
    const cut = await promise;
    clearTimeout(timer);
    return cut;
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.stdin?.end();
    await ended;
  }

  async #order(order: object): Promise<Record<string, unknown>> {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the power switch does not work');
    return JSON.parse(value) as Record<string, unknown>;
  }
}
