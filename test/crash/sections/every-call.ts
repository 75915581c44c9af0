/** SIGKILL before each system call of each operation that changes a disk or answers a client. */

import path from 'node:path';
import { below, type Chance } from '../chance.ts';
import type { Operation } from '../operations.ts';
import type { Report } from '../report.ts';
import { Stage, type Surroundings } from '../stage.ts';
import { type CallPoint, pointsIn, readCalls, trace } from '../strace.ts';

/** How long a server that was not killed may go on after its client has its answer. */
const REST_MS = 150;

/** `points`: so many of each operation at most. */
export async function everyCall(
  report: Report,
  surroundings: Surroundings,
  options: { readonly points: number; readonly operations: readonly Operation[] },
): Promise<void> {
  const { operations, points } = options;
  const name = `calls-${operations[0]?.name}`;
  let stage = await Stage.open(surroundings, name);
  let cuts = 0;
  for (const operation of operations) {
    if (report.isOver()) report.skip(operation.name, 'out of time');
    if (report.isOver()) continue;
    const all = await callsOf(stage, operation);
    for (const point of sample(surroundings.chance, all, points)) {
      const title = `SIGKILL: ${operation.name}, ${point.call} ${point.number}`;
      cuts += 1;
      report.add(`SIGKILL before a system call: ${operation.name} (has ${all.length})`, 1);
      if (await report.case(title, () => killAt(stage, operation, point))) continue;
      await stage.close();
      stage = await Stage.open(surroundings, `${name}-${cuts}`);
    }
    report.say(`SIGKILL before system calls of ${operation.name}`);
  }
  await stage.close();
}

/** So many of them, by chance, in their order. */
function sample<Value>(chance: Chance, values: readonly Value[], count: number): Value[] {
  if (values.length <= count) return [...values];
  const numbers = new Set<number>();
  while (numbers.size < count) numbers.add(below(chance, values.length));
  return [...numbers].sort((a, b) => a - b).map((number) => values[number]!);
}

/** Takes the operation once under strace: how often it makes which call. */
async function callsOf(stage: Stage, operation: Operation): Promise<CallPoint[]> {
  const step = await operation.prepare(stage);
  const { pid } = stage.server;
  const tracing = await trace({ pid, log: path.join(stage.folder, 'calls') });
  const outcome = await step.take();
  await stage.server.ended(REST_MS);
  await tracing.detach();
  step.close();
  if (outcome !== 'ok') throw new Error(`${operation.name}: ${outcome} ${step.answer}`);
  await stage.kill();
  await stage.start();
  return pointsIn(readCalls(tracing.log()));
}

/** Kills it there, starts it again, and looks. */
export async function killAt(
  stage: Stage,
  operation: Operation,
  { call, number }: CallPoint,
): Promise<string[]> {
  const step = await operation.prepare(stage);
  const inject = [`${call}:signal=KILL:when=${number}`];
  const tracing = await trace({ pid: stage.server.pid, inject });
  await step.take();
  await stage.server.ended(REST_MS);
  await stage.kill();
  await tracing.detach();
  step.close();
  await stage.start();
  return stage.check();
}
