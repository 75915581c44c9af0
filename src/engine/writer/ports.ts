/** Two ways to reach a writer: in a thread of its own, or in this one. */

import { Worker } from 'node:worker_threads';
import { threadFlags } from '../thread-flags.ts';
import { WriterCore } from './core.ts';
import type { FromWriter, ToWriter, WriterOptions } from './message.ts';

export interface WriterPort {
  /** `transfer`: buffers that are given up instead of copied. */
  post(message: ToWriter, transfer: readonly ArrayBuffer[]): void;
  /** Whether octets cross to another thread, and so are packed. */
  readonly isThread: boolean;
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
    isThread: true,
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    hold: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
  };
}

/** The same writer in this thread: it answers before `post` returns. */
export function localPort(options: WriterOptions, listener: PortListener): WriterPort {
  const core = new WriterCore(options);
  return {
    isThread: false,
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
