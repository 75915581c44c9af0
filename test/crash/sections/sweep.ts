/** SIGKILL before each call of the hourly sweep, which removes octets that nobody names any more. */

import path from 'node:path';
import { readdirSync, readFileSync } from 'node:fs';
import { spread } from '../chance.ts';
import { OPERATIONS } from '../operations.ts';
import type { Report } from '../report.ts';
import { haltedNode } from '../server.ts';
import { Stage, type Surroundings } from '../stage.ts';
import { pointsIn, readCalls, trace } from '../strace.ts';
import { waitFor } from '../../world/postern.ts';

const PROGRAM = path.join(import.meta.dirname, '../sweeper.ts');
const SWEEP_MS = 20_000;

/** The engine alone: the server would wait an hour. */
export async function sweeps(
  report: Report,
  surroundings: Surroundings,
  points: number,
): Promise<void> {
  const stage = await Stage.open(surroundings, 'sweep');
  await throwAway(stage);
  const log = path.join(stage.folder, 'calls');
  const before = bodyFiles(stage);
  await sweep(stage, [], log);
  const removed = before - bodyFiles(stage);
  await stage.start();
  await report.case('the sweep removes a body file that nobody names', async () => [
    ...(removed === 1 ? [] : [`${removed} body files were removed`]),
    ...(await stage.check()),
  ]);
  const all = pointsIn(readCalls(readFileSync(log, 'utf8')), stage.place.data);
  const kind = `SIGKILL before a system call: sweep (has ${all.length})`;
  for (const { call, number } of spread(all, points)) {
    const isGood = await report.case(`${kind}, ${call} ${number}`, async () => {
      await throwAway(stage);
      await sweep(stage, [`${call}:signal=KILL:when=${number}`], log);
      await stage.start();
      report.add(kind, 1);
      return stage.check();
    });
    if (!isGood) break;
  }
  await stage.close();
  report.say('SIGKILL before system calls of the sweep');
}

/** A large message comes and goes; then the server is killed. */
async function throwAway(stage: Stage): Promise<void> {
  for (const name of ['append-large', 'expunge']) {
    const step = await OPERATIONS.find((one) => one.name === name)!.prepare(stage);
    const outcome = await step.take();
    step.close();
    if (outcome !== 'ok') throw new Error(`${name}: ${step.answer}`);
  }
  await stage.kill();
}

async function sweep(stage: Stage, inject: readonly string[], log: string): Promise<void> {
  const child = await haltedNode(PROGRAM, [stage.place.data]);
  const tracing = await trace({ pid: child.pid ?? 0, inject, log });
  child.kill('SIGCONT');
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (!(await waitFor(isOver, SWEEP_MS))) throw new Error('the sweep does not end');
  await tracing.detach();
}

function bodyFiles(stage: Stage): number {
  return readdirSync(path.join(stage.place.data, 'spool')).length;
}
