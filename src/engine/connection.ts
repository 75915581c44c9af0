/** One connection to the database: opened the same safe way everywhere, statements prepared once. */

import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';

export type Value = SQLInputValue;

/** A connection whose SQL is constant text: what comes from outside is bound, never joined in. */
export class Connection {
  readonly file: string;
  readonly #database: DatabaseSync;
  readonly #objects = new Map<string, StatementSync>();
  readonly #arrays = new Map<string, StatementSync>();

  private constructor(file: string, database: DatabaseSync) {
    this.file = file;
    this.#database = database;
  }

  /** The one that writes: durable at each commit, because `synchronous` is FULL in WAL mode. */
  static writer(file: string, busyMs: number): Connection {
    const connection = new Connection(file, open(file, busyMs, false));
    connection.#prepareToWrite();
    return connection;
  }

  /** One that only reads; each statement, or each `snapshot`, sees one commit. */
  static reader(file: string, busyMs: number): Connection {
    const connection = new Connection(file, open(file, busyMs, true));
    connection.exec('PRAGMA cache_size = -32000');
    return connection;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** The first row, or undefined. */
  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#object(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#object(sql).all(...values) as Row[];
  }

  /** Rows as arrays: for scans, where the names of the columns would cost most of the time. */
  rows<Row extends readonly unknown[]>(sql: string, ...values: Value[]): Row[] {
    return this.#array(sql).all(...values) as unknown as Row[];
  }

  /** The first row as an array, or undefined. */
  row<Row extends readonly unknown[]>(sql: string, ...values: Value[]): Row | undefined {
    return this.#array(sql).get(...values) as unknown as Row | undefined;
  }

  /** How many rows the statement changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#object(sql).run(...values).changes);
  }

  /** The row id of the new row. */
  insert(sql: string, ...values: Value[]): number {
    return Number(this.#object(sql).run(...values).lastInsertRowid);
  }

  /** Reads that belong together, from one commit; never across an await. */
  snapshot<Result>(read: () => Result): Result {
    if (this.#database.isTransaction) return read();
    this.run('BEGIN');
    try {
      return read();
    } finally {
      // An error may have ended the transaction already: what was thrown counts, not this.
      if (this.#database.isTransaction) this.run('COMMIT');
    }
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Changes with each commit of another connection, here or in another process. */
  dataVersion(): number {
    return this.row<[number]>('PRAGMA data_version')?.[0] ?? 0;
  }

  close(): void {
    this.#objects.clear();
    this.#arrays.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepareToWrite(): void {
    this.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cell_size_check = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -32000;
      PRAGMA journal_size_limit = 67108864;
      PRAGMA wal_autocheckpoint = 16000;
    `);
  }

  #object(sql: string): StatementSync {
    let statement = this.#objects.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#objects.set(sql, statement);
    }
    return statement;
  }

  #array(sql: string): StatementSync {
    let statement = this.#arrays.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql, { returnArrays: true });
      this.#arrays.set(sql, statement);
    }
    return statement;
  }
}

function open(file: string, busyMs: number, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(file, {
    readOnly,
    timeout: busyMs,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    defensive: true,
  });
  try {
    database.exec('PRAGMA trusted_schema = OFF');
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  return database;
}
