/** A rehearsal from outside: a thread that opens the stage and attacks it, ended in time. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { threadFlags } from '#engine/thread-flags.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, type ExitStatus } from '../exit.ts';
import type { Rehearsed } from './attack.ts';
import type { StagePlaces } from './stage.ts';

export interface ThreadTask {
  readonly settings: Settings;
  readonly places: StagePlaces;
}

export type ThreadAnswer =
  | { readonly kind: 'rehearsed'; readonly rehearsed: Rehearsed }
  | {
      readonly kind: 'failed';
      readonly exit: ExitStatus;
      readonly message: string;
      readonly cure: string | undefined;
    };

/** What was found, or why nothing could be. */
export type Outcome =
  | { readonly kind: 'rehearsed'; readonly rehearsed: Rehearsed }
  | { readonly kind: 'untold'; readonly why: string };

/** The longest that a start waits for it: the attack's own time, and what opening the stage takes. */
const LIMIT_MS = 60_000;

/**
 * Rehearses the settings in a thread; `certificates`: the directory of certificates of our own,
 * undefined: they are made for the rehearsal alone.
 * Throws a CommandError when the server could not start with these settings either.
 */
export async function rehearse(
  settings: Settings,
  certificates: string | undefined,
  limitMs: number = LIMIT_MS,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-rehearsal-'));
  const places = { folder, certificates: certificates ?? join(folder, 'tls') };
  const task: ThreadTask = { settings, places };
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: task,
    execArgv: threadFlags(),
    name: 'postern-rehearsal',
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<ThreadAnswer | string>((resolve) => {
      timer = setTimeout(() => resolve(`it took longer than ${limitMs / 1_000} s`), limitMs);
      worker.once('message', (message: ThreadAnswer) => resolve(message));
      worker.once('error', (error) => resolve(error instanceof Error ? error.message : 'broken'));
      worker.once('exit', () => resolve('its thread ended'));
    });
    if (typeof answer === 'string') return { kind: 'untold', why: answer };
    if (answer.kind === 'rehearsed') return answer;
    throw new CommandError(answer.exit, answer.message, answer.cure);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
}
