/** SIGKILL at the answer, and then the disk forgets all that was not synced. */

import path from 'node:path';
import { forget, namesIn } from '../forget.ts';
import { OPERATIONS, type Operation } from '../operations.ts';
import type { Report } from '../report.ts';
import { Stage, type Surroundings } from '../stage.ts';
import { readCalls, trace } from '../strace.ts';

/** Each operation, `rounds` times. */
export async function strictDisk(
  report: Report,
  surroundings: Surroundings,
  rounds: number,
): Promise<void> {
  const kind = 'strict disk: all that was not synced at the answer is lost';
  const stage = await Stage.open(surroundings, 'strict');
  for (let round = 1; round <= rounds; round += 1) {
    for (const operation of OPERATIONS) {
      const name = `${kind}: ${operation.name}, round ${round}`;
      const isGood = await report.case(name, () => forgetAtAnswer(stage, operation));
      if (!isGood) return stage.close();
      report.add(kind, 1);
    }
  }
  await stage.close();
  report.say(kind);
}

/** Takes the step, kills, forgets, restarts, looks. */
export async function forgetAtAnswer(stage: Stage, operation: Operation): Promise<string[]> {
  const { data, folder } = stage.place;
  const step = await operation.prepare(stage);
  const before = namesIn(data);
  const log = path.join(folder, 'calls');
  const tracing = await trace({ pid: stage.server.pid, log });
  const outcome = await step.take();
  await stage.kill();
  await tracing.detach();
  step.close();
  if (outcome !== 'ok') return [`${operation.name}: ${outcome} ${step.answer}`];
  forget(data, before, readCalls(tracing.log()));
  await stage.start();
  return stage.check();
}
