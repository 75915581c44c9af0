/** SIGKILL at a random moment under load, and again while the server recovers. */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { below, spread } from '../chance.ts';
import { startLoad } from '../load.ts';
import type { Report } from '../report.ts';
import { startHalted, untilReady } from '../server.ts';
import { Stage, type Surroundings } from '../stage.ts';
import { type CallPoint, pointsIn, readCalls, trace } from '../strace.ts';

const LOAD_MS = 20_000;

/** One directory through all rounds: what was kept once must be kept ever after. */
export async function randomKills(
  report: Report,
  surroundings: Surroundings,
  rounds: number,
  prefix = 'SIGKILL under load',
): Promise<void> {
  const stage = await Stage.open(surroundings, 'kills');
  for (let round = 1; round <= rounds; round += 1) {
    const isGood = await report.case(`${prefix}, round ${round}`, async () => {
      report.add(prefix, 1, await loadAndKill(stage));
      await stage.start();
      return stage.check();
    });
    if (!isGood) break;
  }
  await stage.close();
  report.say(prefix);
}

/** Runs clients until enough was acknowledged, then kills; how many steps that were. */
export async function loadAndKill(stage: Stage, least = 10, most = 120): Promise<number> {
  const { chance } = stage.surroundings;
  const load = startLoad(stage, chance);
  const enough = least + below(chance, most - least);
  const end = performance.now() + LOAD_MS;
  while (load.acknowledged < enough && performance.now() < end) await sleep(1);
  await sleep(below(chance, 20));
  const { ended } = load;
  await stage.kill();
  load.stop();
  await load.done;
  if (ended !== undefined) throw new Error(`a client gave up: ${ended}`);
  if (load.acknowledged < enough) throw new Error(`only ${load.acknowledged} steps in time`);
  return load.acknowledged;
}

/** Each round: load, SIGKILL, SIGKILL before one of the calls of the start, start, look. */
export async function killsInRecovery(
  report: Report,
  surroundings: Surroundings,
  points: number,
): Promise<void> {
  const kind = 'SIGKILL before a system call of recovery';
  const stage = await Stage.open(surroundings, 'recovery');
  await loadAndKill(stage);
  const calls = await callsOfStart(stage);
  await stage.check();
  for (const { call, number } of spread(calls, points)) {
    const isGood = await report.case(`${kind}, ${call} ${number}`, async () => {
      report.add(`${kind} (has ${calls.length})`, 1, await loadAndKill(stage, 5, 30));
      await killInStart(stage, `${call}:signal=KILL:when=${number}`);
      await stage.start();
      return stage.check();
    });
    if (!isGood) break;
  }
  await stage.close();
  report.say(kind);
}

async function callsOfStart(stage: Stage): Promise<CallPoint[]> {
  const child = await startHalted(stage.place);
  const pid = child.pid ?? 0;
  const tracing = await trace({ pid, log: path.join(stage.folder, 'calls') });
  child.kill('SIGCONT');
  const server = await untilReady(stage.place, child);
  await tracing.detach();
  if (server === undefined) throw new Error('the server was killed by nobody');
  stage.server = server;
  return pointsIn(readCalls(tracing.log()), stage.place.data);
}

async function killInStart(stage: Stage, inject: string): Promise<void> {
  const child = await startHalted(stage.place);
  const tracing = await trace({ pid: child.pid ?? 0, inject: [inject] });
  child.kill('SIGCONT');
  const server = await untilReady(stage.place, child);
  if (server !== undefined) stage.server = server;
  await stage.kill();
  await tracing.detach();
}
