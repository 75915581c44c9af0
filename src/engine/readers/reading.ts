/** What all readers share: the read-only connection, failures, and pauses in long reads. */

import { Failure } from '#base/failure.ts';
import { Connection } from '../connection.ts';
import { isMediumError, storeFailure } from '../failures.ts';

/** Reads of this many rows take a few milliseconds: longer ones pause in between. */
export const SLICE_ROWS = 10_000;

const BUSY_MS = 500;

/** One read-only connection, opened anew after an error of the disk. */
export class Reading {
  readonly #file: string;
  readonly #busyMs: number;
  #connection: Connection | undefined;
  #isClosed = false;

  constructor(file: string, busyMs: number) {
    this.#file = file;
    // Readers meet a lock only while a log is recovered; this thread must not sleep for long.
    this.#busyMs = Math.min(busyMs, BUSY_MS);
  }

  /** Reads from one commit; never hand out a promise from `read`. */
  read<Result>(read: (sql: Connection) => Result): Result {
    return this.one((sql) => sql.snapshot(() => read(sql)));
  }

  /** The same for a single statement, which sees one commit without a transaction around it. */
  one<Result>(read: (sql: Connection) => Result): Result {
    if (this.#isClosed) throw Failure.temporary('store-closed', 'the store is closed');
    try {
      const sql = (this.#connection ??= Connection.reader(this.#file, this.#busyMs));
      return read(sql);
    } catch (thrown) {
      if (isMediumError(thrown)) this.#drop();
      throw storeFailure(thrown, this.#file);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  #drop(): void {
    try {
      this.#connection?.close();
    } finally {
      this.#connection = undefined;
    }
  }
}

/** Lets everything else that waits have its turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
