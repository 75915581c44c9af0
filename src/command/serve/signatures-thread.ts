/** The thread that does the arithmetic of signatures: a task in, its result out. */

import { parentPort } from 'node:worker_threads';
import { invariant } from '#base/failure.ts';
import { signaturesHere } from '#trust/signatures.ts';
import type { Answer, Task } from './signatures.ts';

const port = parentPort;
invariant(port !== null, 'signatures have a thread of their own');

port.on('message', (task: Task) => {
  let answer: Answer;
  try {
    answer = { ticket: task.ticket, result: run(task) };
  } catch (thrown) {
    answer = { ticket: task.ticket, failed: thrown instanceof Error ? thrown.message : 'failed' };
  }
  port.postMessage(answer);
});

function run(task: Task): unknown {
  switch (task.kind) {
    case 'judge':
      return signaturesHere.judge(task.input);
    case 'sign':
      return signaturesHere.sign(task.input);
    case 'seal':
      return signaturesHere.seal(task.input);
  }
}
