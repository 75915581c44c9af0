/** What an operation works with: the connection inside a transaction, the time, and its effects. */

import type { OperationName, Operations } from '#store/operations.ts';
import type { Connection } from '../connection.ts';
import type { StoreLimits } from '../options.ts';

export interface Step {
  readonly sql: Connection;
  readonly nowMs: number;
  readonly limits: StoreLimits;
  /** The directory of body files. */
  readonly spool: string;
  readonly threads: ThreadKeys;
  readonly effects: Effects;
}

/** The threads that hashes of Message-IDs lead to, in each account. */
export interface ThreadKeys {
  find(sql: Connection, account: number, hash: number): number | undefined;
  /** Only what was not found. */
  add(account: number, hash: number, thread: number): void;
}

/** What the world must be told or relieved of once the transaction is on disk. */
export interface Effects {
  readonly mailboxes: Set<number>;
  queue: boolean;
  directory: boolean;
  /** The number of the last ledger entry written, 0 for none. */
  lastEntry: number;
  /** Names of body files that no row names any more. */
  readonly unlinked: string[];
}

/** One operation: a refusal is its result, a failure is thrown and undoes only this operation. */
export type Run<K extends OperationName> = (
  step: Step,
  input: Operations[K]['input'],
) => Operations[K]['result'];

export function noEffects(): Effects {
  return { mailboxes: new Set(), queue: false, directory: false, lastEntry: 0, unlinked: [] };
}
