/** What the store's thread and the writer's thread say to each other. */

import type { OperationName } from '#store/operations.ts';
import type { FailureData } from '../failures.ts';
import type { StoreLimits } from '../options.ts';
import type { Place } from '../place.ts';

/** What a writer's thread is started with. */
export interface WriterOptions {
  readonly place: Place;
  readonly limits: StoreLimits;
}

/** One operation on its way to the writer. */
export interface Job {
  readonly ticket: number;
  readonly operation: OperationName;
  readonly input: unknown;
}

export type ToWriter =
  | { readonly kind: 'work'; readonly jobs: readonly Job[]; readonly nowMs: number }
  /** Asks whether another process has written. */
  | { readonly kind: 'look' }
  | { readonly kind: 'close' };

export interface Answer {
  readonly ticket: number;
  readonly result?: unknown;
  readonly failure?: FailureData;
}

/** Sent after COMMIT returned, or after nothing of the batch was kept. */
export interface BatchDone {
  readonly kind: 'done';
  readonly answers: readonly Answer[];
  /** The number of the commit; undefined when there was none. */
  readonly sequence: number | undefined;
  readonly mailboxes: readonly number[];
  readonly queue: boolean;
  readonly directory: boolean;
  /** Whether another process wrote since the last message. */
  readonly foreign: boolean;
}

export type FromWriter =
  | BatchDone
  | { readonly kind: 'looked'; readonly foreign: boolean }
  | { readonly kind: 'closed' };
