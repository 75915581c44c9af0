/** Two ways to reach a writer: in a thread of its own, or in this one. */

import { Worker } from 'node:worker_threads';
import { threadFlags } from '../thread-flags.ts';
import { WriterCore } from './core.ts';
import type { FromWriter, ToThread, ToWriter, WriterOptions } from './message.ts';
import { packJobs } from './pack.ts';

export interface WriterPort {
  /** What was posted is the writer's; throws when it cannot be posted. */
  post(message: ToWriter): void;
  /** Keeps the process up while answers are awaited. */
  hold(isBusy: boolean): void;
}

export interface PortListener {
  received(message: FromWriter): void;
  /** The writer is gone with all that it was given; called once, not after `closed`. */
  lost(cause: unknown): void;
}

/** A writer in a thread of its own: commits do not keep this thread waiting. */
export function threadPort(options: WriterOptions, listener: PortListener): WriterPort {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: options,
    execArgv: threadFlags(),
    name: 'postern-writer',
  });
  let isOver = false;
  const lose = (cause: unknown): void => {
    if (!isOver) listener.lost(cause);
    isOver = true;
  };
  worker.on('message', (message: FromWriter) => {
    if (message.kind === 'closed') isOver = true;
    listener.received(message);
  });
  worker.on('error', lose);
  worker.on('exit', (code) => lose(new Error(`the writer ended with code ${code}`)));
  worker.unref();
  return {
    post: (message) => {
      if (message.kind !== 'work') {
        worker.postMessage(message satisfies ToThread, []);
        return;
      }
      const { values, octets } = packJobs(message.jobs);
      const packed: ToThread = { kind: 'packed', values, octets, nowMs: message.nowMs };
      worker.postMessage(packed, [octets.buffer]);
    },
    hold: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
  };
}

/** The same writer in this thread: it answers before `post` returns. */
export function localPort(options: WriterOptions, listener: PortListener): WriterPort {
  const core = new WriterCore(options);
  return {
    hold: () => undefined,
    post: (message) => {
      switch (message.kind) {
        case 'work':
          listener.received(core.run(message.jobs, message.nowMs));
          core.tidy(true);
          if (core.isBehind) core.index();
          return;
        case 'look':
          listener.received({ kind: 'looked', foreign: core.look() });
          return;
        default:
          core.close();
          listener.received({ kind: 'closed' });
      }
    },
  };
}
