/** The thread of a rehearsal: settings in, what was found out; its memory goes with it. */

import { parentPort, workerData } from 'node:worker_threads';
import { explain } from '../exit.ts';
import { rehearseHere } from './attack.ts';
import type { ThreadAnswer, ThreadTask } from './rehearse.ts';

const { settings, places } = workerData as ThreadTask;
// The clock's timers do not keep a thread up, and a probe may wait for nothing else.
const awake = setInterval(() => undefined, 1_000);

async function told(): Promise<ThreadAnswer> {
  try {
    return { kind: 'rehearsed', rehearsed: await rehearseHere(settings, places) };
  } catch (thrown) {
    const known = explain(thrown);
    if (known === undefined) throw thrown;
    return { kind: 'failed', exit: known.exit, message: known.message, cure: known.cure };
  }
}

const port = parentPort;
const answer = await told();
port?.postMessage(answer);
clearInterval(awake);
