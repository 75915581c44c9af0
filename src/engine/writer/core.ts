/** The writer: runs operations in shared transactions and says what became of each. */

import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '#base/failure.ts';
import { Connection } from '../connection.ts';
import { failureData, isMediumError, writeFailure } from '../failures.ts';
import * as operations from '../operations/index.ts';
import type { StoreLimits } from '../options.ts';
import type { Place } from '../place.ts';
import { Indexer } from '../search/indexer.ts';
import { BUCKET_ENTRIES, indexLedger, indexedEntry } from '../steps/ledger.ts';
import { noEffects } from '../steps/step.ts';
import type { Effects, Step } from '../steps/step.ts';
import type { Answer, BatchDone, Job, WriterOptions } from './message.ts';
import { Threads } from './threads.ts';

/** Frames in the log after which it is copied into the database: when idle, and when busy. */
const IDLE_FRAMES = 1_000;
const BUSY_FRAMES = 2_000;

/** Commits between two looks at the log. */
const UNSEEN_COMMITS = 8;

/** Counts failed commits. What must change: an update to the same value writes nothing. */
const BURY = `INSERT INTO meta VALUES ('failed-commits', 1)
  ON CONFLICT (name) DO UPDATE SET value = value + 1`;

const OPERATIONS: ReadonlyMap<string, (step: Step, input: never) => unknown> = new Map(
  Object.entries(operations),
);

/** Owns the only writing connection; after any error of the disk it takes a new one. */
export class WriterCore {
  readonly #place: Place;
  readonly #limits: StoreLimits;
  #connection: Connection | undefined;
  #sequence = 0;
  #dataVersion = 0;
  /** The last ledger entry whose keys can be looked up, and the last one written. */
  #indexed = 0;
  #lastEntry = 0;
  /** Commits since the log was looked at. */
  #unseen = 0;
  /** The log is looked at again when it has grown to this many frames. */
  #frames = 0;

  readonly #indexer: Indexer;
  readonly #threads = new Threads();
  readonly #prepare: (connection: Connection) => void;

  /** `prepare` sees each new connection first (tests make its disk small). */
  constructor(options: WriterOptions, prepare: (connection: Connection) => void = () => undefined) {
    this.#prepare = prepare;
    this.#place = options.place;
    this.#limits = options.limits;
    this.#indexer = new Indexer(options.place.spool);
  }

  /**
   * One transaction for all jobs. A refusal is a result; a thrown error undoes its job alone; an
   * error of the disk undoes all, and the connection is not used again: after a failed fsync
   * nobody knows what is on disk, so what was believed is read anew.
   */
  run(jobs: readonly Job[], nowMs: number): BatchDone {
    let isCommitting = false;
    try {
      const connection = this.#connect();
      connection.run('BEGIN IMMEDIATE');
      const foreign = this.#lookAround(connection);
      const { answers, effects } =
        this.#runTogether(connection, jobs, nowMs) ?? this.#runApart(connection, jobs, nowMs);
      this.#threads.write(connection);
      isCommitting = true;
      connection.run('COMMIT');
      isCommitting = false;
      this.#sequence += 1;
      this.#lastEntry = Math.max(this.#lastEntry, effects.lastEntry);
      this.#unlink(effects.unlinked);
      if (foreign) this.#indexer.forget();
      this.#indexer.changed(effects.mailboxes);
      return done(answers, this.#sequence, effects, foreign);
    } catch (thrown) {
      const failure = failureData(writeFailure(thrown, this.#place.database));
      this.#disconnect();
      if (isCommitting) this.#bury();
      const answers = jobs.map(({ ticket }) => ({ ticket, failure }));
      return done(answers, undefined, noEffects(), false);
    }
  }

  /** Work that nobody waits for, call it after each `run`; `isIdle`: nothing is waiting. */
  tidy(isIdle: boolean): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    try {
      if (this.#lastEntry - this.#indexed >= BUCKET_ENTRIES) this.#index(connection);
      if (this.#threads.isBehind) this.#threads.sortIn(connection);
      this.#checkpoint(connection, isIdle);
    } catch {
      this.#disconnect();
    }
  }

  /** Indexes some messages for SEARCH; call it in a quiet moment while `isBehind`. */
  index(): void {
    try {
      this.#indexer.step(this.#connect());
    } catch {
      // Another connection may do it better, but not at once: the next commit asks again.
      this.#indexer.giveUp();
      this.#disconnect();
    }
  }

  /** Whether there may be something to index. */
  get isBehind(): boolean {
    return this.#indexer.isBehind;
  }

  /** Whether another process committed since the last look. */
  look(): boolean {
    try {
      const isForeign = this.#lookAround(this.#connect());
      if (isForeign) this.#indexer.forget();
      return isForeign;
    } catch {
      this.#disconnect();
      return false;
    }
  }

  /** Copies the whole log into the database and lets go of it. */
  close(): void {
    try {
      this.#connection?.run('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The log stays and is read at the next start.
    }
    this.#disconnect();
  }

  /** Copies the log into the database when it is long enough. */
  #checkpoint(connection: Connection, isIdle: boolean): void {
    // To ask how long the log is costs a tenth of a small commit.
    this.#unseen += 1;
    if (this.#unseen < UNSEEN_COMMITS) return;
    this.#unseen = 0;
    const limit = (isIdle ? IDLE_FRAMES : BUSY_FRAMES) + this.#frames;
    const length = connection.row<[number, number, number]>('PRAGMA wal_checkpoint(NOOP)')?.[1];
    if (length === undefined || length < this.#frames) this.#frames = 0;
    if (length === undefined || length < limit) return;
    const [, log, copied] = connection.row<[number, number, number]>(
      'PRAGMA wal_checkpoint(PASSIVE)',
    ) ?? [0, 0, 0];
    // A reader holds it back: do not try again before it has grown as much once more.
    this.#frames = log === copied ? 0 : log;
  }

  #index(connection: Connection): void {
    connection.run('BEGIN IMMEDIATE');
    this.#indexed = indexLedger(connection);
    connection.run('COMMIT');
  }

  #connect(): Connection {
    if (this.#connection === undefined) {
      this.#connection = Connection.writer(this.#place.database, this.#limits.busyMs);
      this.#prepare(this.#connection);
      // What others wrote before this connection is not known: the first look says so.
      this.#dataVersion = -1;
      this.#frames = 0;
      this.#indexed = indexedEntry(this.#connection);
      this.#lastEntry = lastEntry(this.#connection);
    }
    return this.#connection;
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#threads.forget();
    if (connection === undefined) return;
    try {
      if (connection.isTransaction) connection.exec('ROLLBACK');
    } catch {
      // Closing rolls back too.
    }
    try {
      connection.close();
    } catch {
      // Nothing is lost by a connection that does not even close.
    }
  }

  /**
   * A commit whose sync failed may stand whole in the log, and would rise again if the process
   * ended before the next one is written over it: so that one is written before anybody is told
   * that nothing was kept. On a disk that refuses that too, there is nothing more to be done.
   */
  #bury(): void {
    try {
      const connection = this.#connect();
      connection.run('BEGIN IMMEDIATE');
      connection.run(BURY);
      connection.run('COMMIT');
    } catch {
      // Then it is not known what the next start finds.
    } finally {
      this.#disconnect();
    }
  }

  #lookAround(connection: Connection): boolean {
    const version = connection.dataVersion();
    const isForeign = version !== this.#dataVersion;
    this.#dataVersion = version;
    if (isForeign) this.#threads.look(connection);
    return isForeign;
  }

  #step(connection: Connection, nowMs: number): Step {
    const { spool } = this.#place;
    const effects = noEffects();
    return { sql: connection, nowMs, limits: this.#limits, spool, threads: this.#threads, effects };
  }

  /**
   * Without savepoints, which cost a copy of each page that a job touches: undefined, and nothing
   * done, when a job failed.
   */
  #runTogether(connection: Connection, jobs: readonly Job[], nowMs: number): Ran | undefined {
    const step = this.#step(connection, nowMs);
    try {
      const answers = jobs.map((job) => ({ ticket: job.ticket, result: runOperation(step, job) }));
      return { answers, effects: step.effects };
    } catch (thrown) {
      if (isMediumError(thrown) || !connection.isTransaction) throw thrown;
      connection.run('ROLLBACK');
      connection.run('BEGIN IMMEDIATE');
      this.#threads.undo(0);
      return undefined;
    }
  }

  #runApart(connection: Connection, jobs: readonly Job[], nowMs: number): Ran {
    const step = this.#step(connection, nowMs);
    return { answers: jobs.map((job) => this.#runOne(step, job)), effects: step.effects };
  }

  #runOne(step: Step, job: Job): Answer {
    const { ticket } = job;
    const unlinked = step.effects.unlinked.length;
    const { mark } = this.#threads;
    step.sql.run('SAVEPOINT operation');
    try {
      const result = runOperation(step, job);
      step.sql.run('RELEASE operation');
      return { ticket, result };
    } catch (thrown) {
      if (isMediumError(thrown) || !step.sql.isTransaction) throw thrown;
      step.sql.run('ROLLBACK TO operation');
      step.sql.run('RELEASE operation');
      step.effects.unlinked.length = unlinked;
      this.#threads.undo(mark);
      return { ticket, failure: failureData(writeFailure(thrown, step.sql.file)) };
    }
  }

  /** What cannot be removed now is an orphan, and removed later. */
  #unlink(names: readonly string[]): void {
    for (const name of names) {
      try {
        unlinkSync(join(this.#place.spool, name));
      } catch {
        continue;
      }
    }
  }
}

interface Ran {
  readonly answers: readonly Answer[];
  readonly effects: Effects;
}

function lastEntry(connection: Connection): number {
  return connection.row<[number | null]>('SELECT max(id) FROM ledger')?.[0] ?? 0;
}

function runOperation(step: Step, { operation, input }: Job): unknown {
  const run = OPERATIONS.get(operation);
  if (run !== undefined) return run(step, input as never);
  throw Failure.permanent('no-such-operation', `there is no operation ${operation}`);
}

function done(
  answers: readonly Answer[],
  sequence: number | undefined,
  effects: Effects,
  foreign: boolean,
): BatchDone {
  const { mailboxes, queue, directory } = effects;
  return {
    kind: 'done',
    answers,
    sequence,
    mailboxes: [...mailboxes],
    queue,
    directory,
    foreign,
  };
}
