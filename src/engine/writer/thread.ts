/** The writer's thread: takes all that waits, runs it in one transaction, answers, and again. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { invariant } from '#base/failure.ts';
import { WriterCore } from './core.ts';
import type { Job, ToThread, WriterOptions } from './message.ts';
import { unpackJobs } from './unpack.ts';

/** Mail rests for so long before it is indexed: what arrives in a burst is not held up by it. */
const REST_MS = 500;

const port = parentPort;
invariant(port !== null, 'the writer runs in a thread of its own');
const options = workerData as WriterOptions;
const core = new WriterCore(options);
const waiting: Job[] = [];
let nowMs = 0;
let isClosing = false;
let behind: NodeJS.Timeout | undefined = setTimeout(index, REST_MS).unref();
/** Whether nothing was written since the last block. */
let isQuiet = true;

port.on('message', (message: ToThread) => {
  take(message);
  takeAll();
  // Somebody who only looks is nobody who writes: the index must not wait for him.
  if (waiting.length > 0) isQuiet = false;
  while (waiting.length > 0) {
    port.postMessage(core.run(waiting.splice(0, options.limits.batchOperations), nowMs));
    takeAll();
    core.tidy(waiting.length === 0);
  }
  if (isClosing) {
    clearTimeout(behind);
    core.close();
    port.postMessage({ kind: 'closed' });
    port.close();
  } else if (behind === undefined && core.isBehind) {
    behind = setTimeout(index, REST_MS).unref();
  }
});

/** A block, and the next one at once when nobody wrote since: mail that never ends gets one. */
function index(): void {
  core.index();
  core.tidy(true);
  behind = core.isBehind ? setTimeout(index, isQuiet ? 0 : REST_MS).unref() : undefined;
  isQuiet = true;
}

/** What came while the last commit ran shares the next one. */
function takeAll(): void {
  invariant(port !== null, 'the writer runs in a thread of its own');
  while (waiting.length < options.limits.batchOperations) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) return;
    take(next.message as ToThread);
  }
}

function take(message: ToThread): void {
  switch (message.kind) {
    case 'packed':
      nowMs = message.nowMs;
      for (const job of unpackJobs(message)) waiting.push(job);
      return;
    case 'look':
      port?.postMessage({ kind: 'looked', foreign: core.look() });
      return;
    default:
      isClosing = true;
  }
}
