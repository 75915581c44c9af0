/** Which thread a Message-ID leads to: the sorted table, and what is not sorted into it yet. */

import type { Connection } from '../connection.ts';
import type { ThreadKeys } from '../steps/step.ts';

/** New keys that wait in memory before they are sorted in: fewer would touch a page for each. */
const WAITING_KEYS = 16_384;
/** Keys that are sorted in at a time: some milliseconds, in which no mail is written. */
const PORTION_KEYS = 1_024;
/** Numbers of one key: account, hash, thread. */
const WIDTH = 3;

const FIND = 'SELECT thread FROM threads WHERE account = ? AND hash = ?';
const NEWS = 'SELECT number, keys FROM thread_news WHERE number > ? ORDER BY number';
const FIRST = 'SELECT min(number) FROM thread_news';
const WRITE = 'INSERT INTO thread_news (keys) VALUES (?)';
const SORT_IN = 'INSERT OR IGNORE INTO threads (account, hash, thread) VALUES (?, ?, ?)';
const ACCOUNT = 'SELECT 1 FROM accounts WHERE id = ?';
const FORGET = 'DELETE FROM thread_news WHERE number <= ?';

/** What is being sorted in: its keys in the order of the table, and how far it got. */
interface Round {
  readonly keys: readonly (readonly [account: number, hashes: Float64Array])[];
  readonly upTo: number;
  account: number;
  hash: number;
}

/** Of one connection; an account's new keys are looked up in memory, all others in the table. */
export class Threads implements ThreadKeys {
  /** Thread by hash by account: the rows of `thread_news`, and what this transaction adds. */
  readonly #waiting = new Map<number, Map<number, number>>();
  #size = 0;
  /** Added in this transaction. */
  #added: number[] = [];
  /** The first and the last row that is known; 0: none. */
  #first = 0;
  #last = 0;
  #round: Round | undefined;
  readonly #limits: { readonly waitingKeys: number; readonly portionKeys: number };

  constructor(limits = { waitingKeys: WAITING_KEYS, portionKeys: PORTION_KEYS }) {
    this.#limits = limits;
  }

  /** Nothing is known: call it for a new connection. */
  forget(): void {
    this.#waiting.clear();
    this.#size = 0;
    this.#added = [];
    this.#round = undefined;
    this.#first = 0;
    this.#last = 0;
  }

  /** Reads what other processes, or this one before, added; those may also have sorted it in. */
  look(sql: Connection): void {
    const first = sql.row<[number | null]>(FIRST)?.[0] ?? 0;
    if (first !== this.#first) this.forget();
    this.#first = first;
    for (const [number, bytes] of sql.rows<[number, Uint8Array]>(NEWS, this.#last)) {
      const keys = new Float64Array(bytes.slice().buffer, 0, Math.floor(bytes.length / 8));
      for (let at = 0; at + 2 < keys.length; at += WIDTH) {
        this.#put(keys[at] ?? 0, keys[at + 1] ?? 0, keys[at + 2] ?? 0);
      }
      this.#last = number;
    }
  }

  find(sql: Connection, account: number, hash: number): number | undefined {
    const waiting = this.#waiting.get(account)?.get(hash);
    return waiting ?? sql.row<[number]>(FIND, account, hash)?.[0];
  }

  add(account: number, hash: number, thread: number): void {
    this.#added.push(account, hash, thread);
    this.#put(account, hash, thread);
  }

  /** Where this transaction is, for `undo`. */
  get mark(): number {
    return this.#added.length;
  }

  /** Takes back what was added since a mark; 0: all of this transaction. */
  undo(mark: number): void {
    for (let at = mark; at < this.#added.length; at += WIDTH) {
      const hashes = this.#waiting.get(this.#added[at] ?? 0);
      if (hashes?.delete(this.#added[at + 1] ?? 0) === true) this.#size -= 1;
    }
    this.#added.length = mark;
  }

  /** Writes what this transaction added: call it before the commit. */
  write(sql: Connection): void {
    if (this.#added.length === 0) return;
    const keys = Float64Array.from(this.#added);
    this.#last = sql.insert(WRITE, new Uint8Array(keys.buffer));
    if (this.#first === 0) this.#first = this.#last;
    this.#added = [];
  }

  /** Whether enough waits to be sorted in. */
  get isBehind(): boolean {
    return this.#round !== undefined || this.#size >= this.#limits.waitingKeys;
  }

  /** Sorts the next portion in, in a transaction of its own. */
  sortIn(sql: Connection): void {
    const round = (this.#round ??= this.#begin());
    sql.run('BEGIN IMMEDIATE');
    this.#portion(sql, round);
    const isOver = round.account === round.keys.length;
    if (isOver) sql.run(FORGET, round.upTo);
    sql.run('COMMIT');
    if (isOver) this.#end(sql, round);
  }

  #begin(): Round {
    const accounts = [...this.#waiting].sort(([a], [b]) => a - b);
    const keys = accounts.map(
      ([account, hashes]) => [account, Float64Array.from(hashes.keys()).sort()] as const,
    );
    return { keys, upTo: this.#last, account: 0, hash: 0 };
  }

  /** In the order of the table: neighbours share their pages. */
  #portion(sql: Connection, round: Round): void {
    let left = this.#limits.portionKeys;
    while (left > 0 && round.account < round.keys.length) {
      const [account, hashes] = round.keys[round.account] ?? [0, new Float64Array()];
      const end = Math.min(hashes.length, round.hash + left);
      // Of an account that was removed meanwhile nothing is kept.
      if (sql.row(ACCOUNT, account) !== undefined) {
        for (const hash of hashes.subarray(round.hash, end)) {
          sql.run(SORT_IN, account, hash, this.#waiting.get(account)?.get(hash) ?? 0);
        }
      }
      left -= Math.max(1, end - round.hash);
      round.hash = end < hashes.length ? end : 0;
      if (end === hashes.length) round.account += 1;
    }
  }

  /** What came meanwhile still waits. */
  #end(sql: Connection, round: Round): void {
    for (const [account, hashes] of round.keys) {
      const waiting = this.#waiting.get(account);
      for (const hash of hashes) if (waiting?.delete(hash) === true) this.#size -= 1;
      if (waiting?.size === 0) this.#waiting.delete(account);
    }
    this.#round = undefined;
    this.#first = sql.row<[number | null]>(FIRST)?.[0] ?? 0;
  }

  #put(account: number, hash: number, thread: number): void {
    let hashes = this.#waiting.get(account);
    if (hashes === undefined) this.#waiting.set(account, (hashes = new Map()));
    if (hashes.has(hash)) return;
    hashes.set(hash, thread);
    this.#size += 1;
  }
}
