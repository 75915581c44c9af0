/** A disk that is really full: refused before it is taken, read meanwhile, served again afterwards. */

import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATIONS } from '../operations.ts';
import type { Report } from '../report.ts';
import { Stage, type Surroundings } from '../stage.ts';

const MINIMUM_MEGABYTES = 8;
/** The server looks at the room at most once a second. */
const LOOK_MS = 1_200;

/** The surroundings' disk must be small. */
export async function fullDisk(report: Report, surroundings: Surroundings): Promise<void> {
  const stage = await Stage.open(surroundings, 'full', { minimumFreeMegabytes: MINIMUM_MEGABYTES });
  const quitting = await operation('quit').prepare(stage);
  const filler = path.join(surroundings.disk.folder, 'filler');
  await report.case('little room: refused before it is taken', async () => {
    fill(filler, (MINIMUM_MEGABYTES - 2) * 1_048_576);
    await sleep(LOOK_MS);
    const problems: string[] = [];
    for (const name of ['delivery', 'chunks', 'attempt']) {
      const refused = await prepared(stage, name);
      if (!refused.startsWith('Error: refused: 452')) problems.push(`${name}: ${refused}`);
    }
    const answer = await taken(stage, 'append');
    if (!answer.startsWith('t0Xa9 NO')) problems.push(`append: ${answer}`);
    // Making room must be possible.
    const deleted = await quitting.take();
    if (deleted !== 'ok') problems.push(`delete: ${quitting.answer}`);
    quitting.close();
    return [...problems, ...(await stage.check())];
  });
  await report.case('room again: served again', async () => {
    rmSync(filler, { force: true });
    await sleep(LOOK_MS);
    return afterwards(stage);
  });
  for (const name of ['delivery', 'large', 'acceptance', 'append', 'append-large', 'copy']) {
    await report.case(`no octet left at ${name}: refused, whole, and recovered`, async () => {
      const step = await operation(name).prepare(stage);
      fill(filler, 0);
      const outcome = await step.take();
      const problems = await stage.check();
      step.close();
      rmSync(filler, { force: true });
      await sleep(LOOK_MS);
      // Small changes may still fit into pages that the log has already.
      const isFine = outcome === 'failed' ? !step.answer.startsWith('5') : outcome === 'ok';
      if (!isFine) problems.push(`${name}: ${outcome} "${step.answer}"`);
      report.add(`full disk at ${name}: ${outcome}`, 1);
      return [...problems, ...(await afterwards(stage))];
    });
  }
  await report.case('a full disk, SIGKILL, room again', async () => {
    fill(filler, 0);
    await stage.kill();
    rmSync(filler, { force: true });
    await stage.start();
    return afterwards(stage);
  });
  await stage.close();
  report.say('a full disk');
}

async function afterwards(stage: Stage): Promise<string[]> {
  const problems: string[] = [];
  for (const name of ['delivery', 'large', 'append', 'copy']) {
    const answer = await taken(stage, name);
    if (!/^(?:250|t0Xa9 OK)/.test(answer)) problems.push(`${name} with room: ${answer}`);
  }
  return [...problems, ...(await stage.check())];
}

function operation(name: string): (typeof OPERATIONS)[number] {
  const found = OPERATIONS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
}

/** How making ready ended. */
async function prepared(stage: Stage, name: string): Promise<string> {
  try {
    const step = await operation(name).prepare(stage);
    step.close();
    return 'made ready';
  } catch (thrown) {
    return String(thrown);
  }
}

async function taken(stage: Stage, name: string): Promise<string> {
  const step = await operation(name).prepare(stage);
  await step.take();
  step.close();
  return step.answer;
}

/** Leaves so many octets. */
function fill(file: string, leave: number): void {
  const descriptor = openSync(file, 'a');
  const block = Buffer.alloc(65_536);
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(file);
      const room = bavail * bsize - leave;
      if (room <= 0) break;
      writeSync(descriptor, block.subarray(0, Math.min(block.length, room)));
    }
    fsyncSync(descriptor);
  } catch (thrown) {
    if (!String(thrown).includes('ENOSPC')) throw thrown;
  } finally {
    closeSync(descriptor);
  }
}
