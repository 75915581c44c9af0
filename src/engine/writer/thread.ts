/** The writer's thread: takes all that waits, runs it in one transaction, answers, and again. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { invariant } from '#base/failure.ts';
import { WriterCore } from './core.ts';
import type { Job, ToWriter, WriterOptions } from './message.ts';

const port = parentPort;
invariant(port !== null, 'the writer runs in a thread of its own');
const options = workerData as WriterOptions;
const core = new WriterCore(options);
const waiting: Job[] = [];
let nowMs = 0;
let isClosing = false;

port.on('message', (message: ToWriter) => {
  take(message);
  takeAll();
  while (waiting.length > 0) {
    port.postMessage(core.run(waiting.splice(0, options.limits.batchOperations), nowMs));
    takeAll();
    core.tidy(waiting.length === 0);
  }
  if (isClosing) {
    core.close();
    port.postMessage({ kind: 'closed' });
    port.close();
  }
});

/** What came while the last commit ran shares the next one. */
function takeAll(): void {
  invariant(port !== null, 'the writer runs in a thread of its own');
  while (waiting.length < options.limits.batchOperations) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) return;
    take(next.message as ToWriter);
  }
}

function take(message: ToWriter): void {
  switch (message.kind) {
    case 'work':
      nowMs = message.nowMs;
      for (const job of message.jobs) waiting.push(job);
      return;
    case 'look':
      port?.postMessage({ kind: 'looked', foreign: core.look() });
      return;
    default:
      isClosing = true;
  }
}
