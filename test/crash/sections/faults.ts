/** A disk that refuses: once and for a while, call by call; the server answers, lives and recovers. */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATIONS } from '../operations.ts';
import type { Report } from '../report.ts';
import { Stage, type Surroundings } from '../stage.ts';
import { quiet, readCalls, threadsOf, trace } from '../strace.ts';

interface Fault {
  readonly call: string;
  readonly error: string;
  /** Threads: the one that writes the database, or those that write body files. */
  readonly where: 'writer' | 'spool';
  readonly operations: readonly string[];
}

const WRITER = ['delivery', 'confirmed', 'acceptance', 'append', 'store', 'move', 'create', 'quit'];
const SPOOL = ['large', 'append-large'];

/** By the call that fails: SQLite's writes and syncs, then those of body files. */
const FAULTS: readonly Fault[] = [
  ...['EIO', 'ENOSPC', 'EROFS', 'EDQUOT'].map((error) => {
    return { call: 'pwrite64', error, where: 'writer' as const, operations: WRITER };
  }),
  ...['EIO', 'ENOSPC'].map((error) => {
    return { call: 'fsync', error, where: 'writer' as const, operations: WRITER };
  }),
  ...['EMFILE', 'EROFS', 'ENOSPC', 'EIO'].map((error) => {
    return { call: 'openat', error, where: 'spool' as const, operations: SPOOL };
  }),
  ...['EIO', 'ENOSPC'].map((error) => {
    return { call: 'writev', error, where: 'spool' as const, operations: SPOOL };
  }),
  ...['fdatasync', 'fsync'].map((call) => {
    return { call, error: 'EIO', where: 'spool' as const, operations: SPOOL };
  }),
];

const RECOVERY_MS = 10_000;

/** `every`: each n-th combination of fault and operation is tried. */
export async function faults(
  report: Report,
  surroundings: Surroundings,
  every: number,
): Promise<void> {
  let stage = await Stage.open(surroundings, 'faults-0');
  let number = 0;
  for (const fault of FAULTS) {
    for (const operation of fault.operations) {
      for (const isSticky of [false, true]) {
        number += 1;
        if (number % every !== 0) continue;
        const { call, error, where } = fault;
        const often = isSticky ? 'from now on' : 'once';
        const name = `${error} at ${call} of the ${where}, ${often}, ${operation}`;
        const run = (): Promise<string[]> => spoil(stage, fault, operation, isSticky);
        report.add(`${error} at ${call} of the ${where}, ${often}`, 1);
        if (await report.case(name, run)) continue;
        await stage.close();
        stage = await Stage.open(surroundings, `faults-${number}`);
      }
    }
  }
  await stage.close();
  report.say('a disk that refuses');
}

/**
 * The sync of a commit fails, the client is refused, the server is killed: SQLite's log holds a
 * whole commit then that nobody was promised, and that must not rise again.
 */
export async function killsAfterFailedSync(
  report: Report,
  surroundings: Surroundings,
  rounds: number,
): Promise<void> {
  const stage = await Stage.open(surroundings, 'failed-sync');
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of WRITER) {
      const kind = 'EIO at fsync of the writer, once, then SIGKILL';
      await report.case(`${kind}: ${name}`, async () => {
        const { pid } = stage.server;
        const step = await OPERATIONS.find((one) => one.name === name)!.prepare(stage);
        const threads = threadsOf(pid, 'postern-writer');
        await quiet(pid, threads);
        const tracing = await trace({ pid, threads, inject: ['fsync:error=EIO:when=1'] });
        const problems = refusal(name, await step.take(), step.answer);
        await stage.kill();
        await tracing.detach();
        step.close();
        await stage.start();
        report.add(kind, 1);
        return [...problems, ...(await stage.check())];
      });
    }
  }
  await stage.close();
  report.say('SIGKILL after a failed sync');
}

async function spoil(
  stage: Stage,
  { call, error, where }: Fault,
  name: string,
  isSticky: boolean,
): Promise<string[]> {
  const operation = OPERATIONS.find((one) => one.name === name)!;
  const { pid } = stage.server;
  const names = where === 'writer' ? ['postern-writer'] : ['libuv-worker'];
  const problems: string[] = [];
  const step = await operation.prepare(stage);
  const threads = threadsOf(pid, ...names);
  if (where === 'writer') await quiet(pid, threads);
  const tracing = await trace({
    pid,
    threads,
    inject: [`${call}:error=${error}:when=1${isSticky ? '+' : ''}`],
    calls: ['openat'],
    log: path.join(stage.folder, 'calls'),
  });
  try {
    problems.push(...refusal(name, await step.take(), step.answer));
    // What was written before can be read while nothing can be written.
    if (isSticky) problems.push(...(await stage.check()).map((text) => `meanwhile: ${text}`));
  } finally {
    step.close();
    await tracing.detach();
  }
  if (call === 'fsync' && where === 'writer') problems.push(...(await reopened(stage, tracing)));
  if (!stage.server.isUp()) problems.push(`the server ended: ${stage.server.output().slice(-500)}`);
  else problems.push(...(await recovers(stage, name)));
  return [...problems, ...(await stage.check())];
}

/** SMTP says 4xx, never 5xx; IMAP NO, POP3 -ERR. */
function refusal(name: string, outcome: string, answer: string): string[] {
  const isSmtp = /^[245]/.test(answer);
  if (outcome === 'failed' && (!isSmtp || answer.startsWith('4'))) return [];
  return [`${name} with a broken disk: ${outcome} "${answer}"`];
}

/** By itself: nobody restarts it, and the next client is served. */
async function recovers(stage: Stage, name: string): Promise<string[]> {
  const operation = OPERATIONS.find((one) => one.name === name)!;
  const end = performance.now() + RECOVERY_MS;
  let last = '';
  while (performance.now() < end) {
    try {
      const step = await operation.prepare(stage);
      const outcome = await step.take();
      step.close();
      if (outcome === 'ok') return [];
      last = step.answer;
    } catch (thrown) {
      last = String(thrown);
    }
    await sleep(100);
  }
  return [`no recovery: ${last}`];
}

/** After a failed sync nobody knows what is on disk: the file has to be opened anew. */
async function reopened(stage: Stage, tracing: { log(): string }): Promise<string[]> {
  const calls = readCalls(tracing.log());
  const failed = calls.findIndex(({ name, result }) => name === 'fsync' && result < 0);
  const again = calls.findIndex(
    ({ name, path: file }, at) => at > failed && name === 'openat' && file.endsWith('postern.db'),
  );
  if (failed === -1) return ['no sync failed'];
  // Opened by the next write, perhaps only after strace had let go.
  const isLater = again === -1 && stage.server.isUp();
  return again > failed || isLater ? [] : ['the database was not opened anew'];
}
