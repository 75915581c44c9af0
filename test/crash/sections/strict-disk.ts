/** SIGKILL at the answer, and then the disk forgets all that was not synced. */

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { forget, namesIn } from '../forget.ts';
import { OPERATIONS, type Operation } from '../operations.ts';
import type { Report } from '../report.ts';
import { startHalted, startServer, untilReady } from '../server.ts';
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

/** A first start on nothing: what it made and showed is there at the second one. */
export async function firstStart(report: Report, surroundings: Surroundings): Promise<void> {
  const kind = 'strict disk: all that was not synced at the end of the first start is lost';
  const folder = path.join(surroundings.folder, 'first-start');
  const parent = path.join(surroundings.disk.folder, 'first-start');
  const place = { data: path.join(parent, 'data'), folder, build: surroundings.build };
  mkdirSync(folder);
  mkdirSync(parent);
  surroundings.template.configure(place);
  await report.case(kind, async () => {
    const child = await startHalted(place);
    const before = namesIn(parent);
    const tracing = await trace({ pid: child.pid ?? 0, log: path.join(folder, 'calls') });
    child.kill('SIGCONT');
    const first = await untilReady(place, child);
    const made = MADE.map((name) => readFileSync(path.join(place.data, name), 'latin1'));
    await first?.end('SIGKILL');
    await tracing.detach();
    const lost = forget(parent, before, readCalls(tracing.log()));
    const second = await startServer(place);
    const there = MADE.map((name) => readFileSync(path.join(place.data, name), 'latin1'));
    await second.end('SIGKILL');
    report.add(kind, 1);
    return MADE.filter((_, at) => made[at] !== there[at]).map(
      (name) => `${name} is another one: ${lost.join(', ')}`,
    );
  });
}

/** What others were told, or have stored: the authority to trust, the salt of unknown logins. */
const MADE = ['tls/ca.pem', 'tls/cert.pem', 'installation.key'];

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
