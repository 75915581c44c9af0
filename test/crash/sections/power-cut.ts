/** A real power cut: the file system is shut down on the thread that reads the answer. */

import { setTimeout as sleep } from 'node:timers/promises';
import { below } from '../chance.ts';
import { Cutter } from '../cutter.ts';
import { startLoad } from '../load.ts';
import { OPERATIONS, type Operation } from '../operations.ts';
import type { Report } from '../report.ts';
import { startHalted } from '../server.ts';
import { Stage, type Surroundings } from '../stage.ts';

const CUT_MS = 15_000;
/** Any final answer to a change. */
const ANY_REPLY = '^(?:250 2\\.[06]\\.0 |t0Xa9 OK|\\+OK)';

/** Each operation, the power gone when its answer is read; `rounds` times all of them. */
export async function cutsAtAnswer(
  report: Report,
  surroundings: Surroundings,
  rounds: number,
): Promise<void> {
  const stage = await Stage.open(surroundings, 'cuts');
  let slowest = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (const operation of OPERATIONS) {
      const name = `power cut at the answer to ${operation.name}, round ${round}`;
      const isGood = await report.case(name, async () => {
        const problems = await cutAtAnswer(stage, operation);
        slowest = Math.max(slowest, stage.server.readyMs);
        return problems;
      });
      if (!isGood) return stage.close();
      report.add(`power cut at the answer: ${operation.name}`, 1);
    }
  }
  await stage.close();
  report.say(`power cuts at the answer; the slowest start after one took ${slowest.toFixed(0)} ms`);
}

/** Takes the step through the cutter, remounts, restarts, looks. */
export async function cutAtAnswer(stage: Stage, operation: Operation): Promise<string[]> {
  stage.history.isDoomed = true;
  const cutter = await Cutter.start(stage.surroundings.disk.folder);
  const before = stage.connect;
  try {
    stage.connect = await cutter.connections(stage);
    const step = await operation.prepare(stage);
    await cutter.arm(operation.reply);
    const outcome = await step.take();
    step.close();
    if (outcome !== 'ok') return [`${operation.name}: ${outcome} ${step.answer}`];
    if (!(await cutter.hasCut(CUT_MS))) return ['the power was not cut'];
  } finally {
    stage.connect = before;
    await cutter.end();
  }
  return powerOn(stage);
}

/** Many clients, the power gone with one of their answers. */
export async function cutsUnderLoad(
  report: Report,
  surroundings: Surroundings,
  rounds: number,
): Promise<void> {
  const kind = 'power cut under load';
  const stage = await Stage.open(surroundings, 'cuts-load');
  const { chance, disk } = surroundings;
  for (let round = 1; round <= rounds; round += 1) {
    const isGood = await report.case(`${kind}, round ${round}`, async () => {
      stage.history.isDoomed = true;
      const cutter = await Cutter.start(disk.folder);
      const before = stage.connect;
      stage.connect = await cutter.connections(stage);
      const load = startLoad(stage, chance);
      await sleep(100);
      await cutter.arm(ANY_REPLY, 1 + below(chance, 100));
      const hasCut = await cutter.hasCut(CUT_MS);
      // The server goes on for a while on a disk that takes nothing.
      await sleep(below(chance, 50));
      await stage.server.end('SIGKILL');
      load.stop();
      await load.done;
      stage.connect = before;
      await cutter.end();
      if (!hasCut) return ['the power was not cut'];
      report.add(kind, 1, load.acknowledged);
      return powerOn(stage);
    });
    if (!isGood) break;
  }
  await stage.close();
  report.say(kind);
}

/** Each round: a cut, then a second one at a random moment of the start that follows. */
export async function cutsInRecovery(
  report: Report,
  surroundings: Surroundings,
  rounds: number,
): Promise<void> {
  const kind = 'power cut in recovery from a power cut';
  const stage = await Stage.open(surroundings, 'cuts-recovery');
  const { chance, disk } = surroundings;
  for (let round = 1; round <= rounds; round += 1) {
    const isGood = await report.case(`${kind}, round ${round}`, async () => {
      stage.history.isDoomed = true;
      const first = await Cutter.start(disk.folder);
      const before = stage.connect;
      stage.connect = await first.connections(stage);
      const load = startLoad(stage, chance);
      await sleep(150 + below(chance, 400));
      await first.now();
      await stage.kill();
      stage.connect = before;
      load.stop();
      await load.done;
      await first.end();
      await disk.remount();
      const second = await Cutter.start(disk.folder);
      const child = await startHalted(stage.place);
      child.kill('SIGCONT');
      await sleep(100 + below(chance, 400));
      await second.now();
      await sleep(below(chance, 20));
      child.kill('SIGKILL');
      await second.end();
      report.add(kind, 1, load.acknowledged);
      return powerOn(stage);
    });
    if (!isGood) break;
  }
  await stage.close();
  report.say(kind);
}

async function powerOn(stage: Stage): Promise<string[]> {
  await stage.kill();
  stage.history.isDoomed = false;
  await stage.surroundings.disk.remount();
  await stage.start();
  return stage.check();
}
