/** The store's side of the writer: gathers what one turn asks for, and answers when it is on disk. */

import { Failure } from '#base/failure.ts';
import { Durable } from '#store/durable.ts';
import type { Committed } from '#store/durable.ts';
import type { OperationName, Operations } from '#store/operations.ts';
import { failureFrom } from '../failures.ts';
import type { StoreLimits } from '../options.ts';
import type { Answer, BatchDone, FromWriter, Job } from './message.ts';
import { operationBytes } from './pack.ts';
import type { PortListener, WriterPort } from './ports.ts';

export interface LinkOptions {
  readonly limits: StoreLimits;
  readonly now: () => number;
  readonly openPort: (listener: PortListener) => WriterPort;
  /** Called after the promises of a batch were resolved. */
  readonly committed: (done: BatchDone) => void;
  /** Called when another process has written. */
  readonly foreign: () => void;
  readonly lost: (cause: unknown) => void;
}

export interface WriteCounters {
  /** Operations answered with a result. */
  readonly operations: number;
  readonly commits: number;
  readonly waiting: number;
}

interface Waiting {
  readonly resolve: (committed: Committed<unknown>) => void;
  readonly reject: (failure: Failure) => void;
  readonly bytes: number;
}

/** One message to the writer for each turn of the event loop, with all that was asked in it. */
export class WriterLink {
  readonly #options: LinkOptions;
  readonly #waiting = new Map<number, Waiting>();
  #port: WriterPort | undefined;
  #jobs: Job[] = [];
  #ticket = 0;
  #bytes = 0;
  #operations = 0;
  #commits = 0;
  #isClosed = false;
  #closing: (() => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#connect();
  }

  counters(): WriteCounters {
    const { size } = this.#waiting;
    return { operations: this.#operations, commits: this.#commits, waiting: size };
  }

  /** Resolves after the commit; fails temporarily when too much waits or the disk refuses. */
  write<K extends OperationName>(
    operation: K,
    input: Operations[K]['input'],
  ): Promise<Committed<Operations[K]['result']>> {
    return new Promise((resolve, reject) => {
      const bytes = operationBytes(operation, input);
      const refusal = this.#refusal(bytes);
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      this.#ticket += 1;
      const answer = resolve as Waiting['resolve'];
      this.#waiting.set(this.#ticket, { resolve: answer, reject, bytes });
      this.#bytes += bytes;
      if (this.#waiting.size === 1) this.#connect().hold(true);
      // When all that runs now has said what it writes: that shares one message to the writer.
      if (this.#jobs.length === 0) process.nextTick(() => this.#post());
      this.#jobs.push({ ticket: this.#ticket, operation, input });
    });
  }

  /** Asks the writer whether another process has written. */
  look(): void {
    if (!this.#isClosed) this.#connect().post({ kind: 'look' });
  }

  /** Takes nothing more and waits for all that was asked. */
  async finish(): Promise<void> {
    this.#isClosed = true;
    if (this.#waiting.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  /** After `finish`: ends the writer. */
  async close(): Promise<void> {
    const port = this.#port;
    this.#port = undefined;
    if (port === undefined) return;
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      port.hold(true);
      port.post({ kind: 'close' });
    });
  }

  #refusal(bytes: number): Failure | undefined {
    const { limits } = this.#options;
    if (this.#isClosed) return Failure.temporary('store-closed', 'the store is closing');
    const isFull =
      this.#waiting.size >= limits.queuedOperations ||
      (this.#bytes > 0 && this.#bytes + bytes > limits.queuedBytes);
    return isFull ? Failure.temporary('store-busy', 'too much waits for the disk') : undefined;
  }

  #connect(): WriterPort {
    return (this.#port ??= this.#options.openPort({
      received: (message) => this.#received(message),
      lost: (cause) => this.#lost(cause),
    }));
  }

  #post(): void {
    if (this.#jobs.length === 0) return;
    const port = this.#connect();
    const nowMs = this.#options.now();
    const jobs = this.#jobs;
    this.#jobs = [];
    try {
      port.post({ kind: 'work', jobs, nowMs });
    } catch (thrown) {
      // What cannot be posted never reached the writer.
      for (const { ticket } of jobs) this.#take(ticket)?.reject(Failure.from(thrown));
      if (this.#waiting.size === 0) this.#rest();
    }
  }

  #received(message: FromWriter): void {
    switch (message.kind) {
      case 'done':
        this.#settle(message);
        if (message.foreign) this.#options.foreign();
        return;
      case 'looked':
        if (message.foreign) this.#options.foreign();
        return;
      default:
        this.#closing?.();
    }
  }

  #settle(done: BatchDone): void {
    // The one place that makes this proof: `sequence` is set only after COMMIT has returned.
    const durable = done.sequence === undefined ? undefined : Durable.committed(done.sequence);
    if (durable !== undefined) this.#commits += 1;
    for (const answer of done.answers) this.#answer(answer, durable);
    this.#options.committed(done);
    if (this.#waiting.size === 0) this.#rest();
  }

  #answer(answer: Answer, durable: Durable | undefined): void {
    const waiting = this.#take(answer.ticket);
    if (waiting === undefined) return;
    if (answer.failure !== undefined) {
      waiting.reject(failureFrom(answer.failure));
    } else if (durable === undefined) {
      waiting.reject(Failure.temporary('store-busy', 'nothing was written'));
    } else {
      this.#operations += 1;
      waiting.resolve({ durable, result: answer.result });
    }
  }

  #take(ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    this.#bytes -= waiting?.bytes ?? 0;
    return waiting;
  }

  #rest(): void {
    this.#port?.hold(false);
    this.#idle?.();
  }

  /** Nobody knows what became of what it had: all fail, and the next write starts a new one. */
  #lost(cause: unknown): void {
    this.#port = undefined;
    this.#jobs = [];
    const failure = Failure.temporary('writer-lost', 'the writer ended unexpectedly', cause);
    for (const ticket of this.#waiting.keys()) this.#take(ticket)?.reject(failure);
    this.#options.lost(cause);
    this.#closing?.();
    this.#rest();
  }
}
