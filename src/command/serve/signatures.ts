/** Signatures in a thread of their own: sessions wait for the result, their thread does not. */

import { Worker } from 'node:worker_threads';
import { Failure } from '#base/failure.ts';
import { threadFlags } from '#engine/thread-flags.ts';
import type { SignatureEvidence } from '#trust/arc/verification.ts';
import type { SealTask, SignTask, Signatures } from '#trust/signatures.ts';

/** What goes to the thread; plain data and keys, which threads may share. */
export type Task = { readonly ticket: number } & (
  | { readonly kind: 'judge'; readonly input: SignatureEvidence }
  | { readonly kind: 'sign'; readonly input: SignTask }
  | { readonly kind: 'seal'; readonly input: SealTask }
);

export type Answer = { readonly ticket: number } & (
  | { readonly result: unknown }
  | { readonly failed: string }
);

export interface SignatureThread extends Signatures {
  /** Ends the thread; what was asked fails. */
  close(): Promise<void>;
}

/** Tasks that wait at the same time; each session has at most one. */
const WAITING = 10_000;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (failure: Failure) => void;
}

/**
 * Starts it with the first task, and again after it was lost; a lost task fails temporarily. It
 * keeps the process up until it is closed.
 */
export function signatureThread(
  thread: URL = new URL('./signatures-thread.ts', import.meta.url),
): SignatureThread {
  const desk = new Desk(thread);
  return {
    judge: (input) => desk.ask({ kind: 'judge', input: alone(input) }),
    sign: (input) => desk.ask({ kind: 'sign', input: alone(input) }),
    seal: (input) => desk.ask({ kind: 'seal', input: alone(input) }),
    close: () => desk.close(),
  };
}

/** Its own memory, to be given away: a view would drag along all that it looks at. */
function alone<T extends { readonly head: Uint8Array }>(input: T): T {
  return { ...input, head: new Uint8Array(input.head) };
}

class Desk {
  readonly #thread: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #ticket = 0;
  #closed = false;

  constructor(thread: URL) {
    this.#thread = thread;
  }

  ask<T>(task: WithoutTicket<Task>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#waiting.size >= WAITING) {
        reject(Failure.temporary('signatures-busy', 'too many signatures wait, or it is closing'));
        return;
      }
      const worker = (this.#worker ??= this.#start());
      const ticket = (this.#ticket += 1);
      this.#waiting.set(ticket, { resolve: resolve as Waiting['resolve'], reject });
      worker.postMessage({ ticket, ...task }, [task.input.head.buffer as ArrayBuffer]);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#lose(worker, 'closed');
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#thread, {
      execArgv: threadFlags(),
      name: 'postern-signatures',
    });
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.on('error', (error) => this.#lose(worker, Failure.from(error).message));
    worker.on('exit', () => this.#lose(worker, 'it ended'));
    return worker;
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.ticket);
    this.#waiting.delete(answer.ticket);
    if ('failed' in answer) {
      waiting?.reject(Failure.temporary('signatures-failed', answer.failed));
    } else waiting?.resolve(answer.result);
  }

  #lose(worker: Worker | undefined, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    const failure = Failure.temporary('signatures-lost', `the thread of signatures: ${why}`);
    for (const { reject } of lost) reject(failure);
  }
}

/** Of each member of the union. */
type WithoutTicket<T> = T extends unknown ? Omit<T, 'ticket'> : never;
