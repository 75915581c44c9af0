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

/** Jobs as plain values, in the order in which `packJobs` writes and `unpackJobs` reads them. */
export interface PackedJobs {
  readonly values: readonly unknown[];
  /** All octets: a view of its own for each would take the whole buffer below it along. */
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** The same for a writer in a thread of its own. */
export type ToThread =
  | Exclude<ToWriter, { readonly kind: 'work' }>
  | ({ readonly kind: 'packed'; readonly nowMs: number } & PackedJobs);

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
