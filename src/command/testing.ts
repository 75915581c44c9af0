/** For tests: a run of the program with its own streams, and what it printed. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '#base/bytes.ts';
import type { Io } from './io.ts';
import { runProgram } from './program.ts';

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string;
  /** What a person types at the prompts, in order. */
  readonly typed?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is otherwise than usual: a terminal, a slow reader. */
  readonly io?: Partial<Io>;
}

/** Runs the program in this process. */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  let out = '';
  let err = '';
  const typed = [...(options.typed ?? [])];
  const io: Io = {
    write: (text) => void (out += text),
    warn: (text) => void (err += text),
    readAll: () => Promise.resolve(utf8(options.input ?? '')),
    askSecret: () => Promise.resolve(typed.shift()),
    env: options.env ?? {},
    terminal: false,
    colour: false,
    ...options.io,
  };
  const status = await runProgram(words, io);
  return { status, out, err };
}

/** A directory that is gone after the task. */
export async function inFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-command-'));
  try {
    return await task(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
