/** Reads the ledger: the stories that a key leads to. */

import type { QueueId, SessionId } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import type { LedgerEntry, LedgerReader } from '#store/ledger.ts';
import type { Connection } from '../connection.ts';
import { keyHash, numbersIn, partOf } from '../ledger-keys.ts';
import type { KeyKind } from '../ledger-keys.ts';
import type { Reading } from './reading.ts';

const INDEXED = `SELECT value FROM meta WHERE name = 'indexed'`;
const TAIL = `SELECT id, at_ms, kind, session, queue_id, keys, facts FROM ledger
  WHERE id > ? ORDER BY id DESC LIMIT ? + 0`;
const NEWEST_BUCKET = 'SELECT max(bucket) FROM ledger_index';
const OLDER_BUCKET = 'SELECT max(bucket) FROM ledger_index WHERE bucket < ?';
const PART = 'SELECT keys FROM ledger_index WHERE bucket = ? AND part = ?';
const ENTRY = `SELECT id, at_ms, kind, session, queue_id, keys, facts FROM ledger WHERE id = ?`;

/** Entries not yet in a bucket that are looked through: far more than the writer leaves. */
const TAIL_ENTRIES = 20_000;
/** Sessions and messages that one key may lead to. */
const STORIES = 1_000;

type Columns = readonly [
  id: number,
  atMs: number,
  kind: LedgerEntry['kind'],
  session: SessionId | null,
  queueId: QueueId | null,
  keys: string,
  facts: string,
];

/** Entries by their number. */
type Found = Map<number, LedgerEntry>;

export class LedgerRows implements LedgerReader {
  readonly #reading: Reading;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /**
   * The newest `limit` entries of the stories, ordered by time. A session's own entries belong
   * to each of its messages; another message of the same session is another story.
   */
  trace(key: string, limit: number): readonly LedgerEntry[] {
    if (limit <= 0) return [];
    return this.#reading.read((sql) => {
      const search = new Search(sql, limit);
      const story = search.find('session', key);
      const seeds = new Map([...search.find('queue', key), ...search.find('key', bareKey(key))]);
      for (const [id, entry] of story) if (entry.queueId !== undefined) seeds.set(id, entry);
      for (const queueId of distinct(seeds, ({ queueId }) => queueId)) {
        for (const [id, entry] of search.find('queue', queueId)) seeds.set(id, entry);
      }
      const queueIds = new Set(distinct(seeds, ({ queueId }) => queueId));
      for (const session of distinct(seeds, ({ session }) => session)) {
        for (const [id, entry] of search.find('session', session)) {
          if (entry.queueId === undefined || queueIds.has(entry.queueId)) story.set(id, entry);
        }
      }
      for (const [id, entry] of seeds) story.set(id, entry);
      return inOrder(story).slice(-limit);
    });
  }
}

/** Looks keys up in what is not indexed yet, then in each bucket, newest first. */
class Search {
  readonly #sql: Connection;
  readonly #limit: number;
  readonly #tail: Found;
  readonly #buckets: readonly number[];

  constructor(sql: Connection, limit: number) {
    this.#sql = sql;
    this.#limit = limit;
    const indexed = sql.row<[number]>(INDEXED)?.[0] ?? 0;
    const tail = sql.rows<Columns>(TAIL, indexed, TAIL_ENTRIES);
    this.#tail = new Map(tail.map((row) => [row[0], entryFrom(row)]));
    this.#buckets = allBuckets(sql);
  }

  /** At most `limit`; hashes may meet, so the key itself is compared. */
  find(kind: KeyKind, key: string): Found {
    const found: Found = new Map();
    const folded = key.toLowerCase();
    for (const [id, entry] of this.#tail) {
      if (found.size < this.#limit && isNamed(entry, kind, folded)) found.set(id, entry);
    }
    const hash = keyHash(kind, key);
    for (const bucket of this.#buckets) {
      const left = this.#limit - found.size;
      if (left <= 0) break;
      for (const row of this.#entries(bucket, hash).slice(0, left)) {
        const entry = entryFrom(row);
        if (isNamed(entry, kind, folded)) found.set(row[0], entry);
      }
    }
    return found;
  }

  #entries(bucket: number, hash: number): Columns[] {
    const part = this.#sql.row<[Uint8Array]>(PART, bucket, partOf(hash))?.[0];
    if (part === undefined) return [];
    return numbersIn(part, hash)
      .map((number) => this.#sql.row<Columns>(ENTRY, bucket + number))
      .filter((row) => row !== undefined);
  }
}

/** Message-IDs stand without brackets in the ledger. */
function bareKey(key: string): string {
  return key.startsWith('<') && key.endsWith('>') ? key.slice(1, -1) : key;
}

function allBuckets(sql: Connection): readonly number[] {
  const buckets: number[] = [];
  let bucket = sql.row<[number | null]>(NEWEST_BUCKET)?.[0] ?? null;
  while (bucket !== null) {
    buckets.push(bucket);
    bucket = sql.row<[number | null]>(OLDER_BUCKET, bucket)?.[0] ?? null;
  }
  return buckets;
}

function isNamed(entry: LedgerEntry, kind: KeyKind, folded: string): boolean {
  if (kind === 'key') return entry.keys.some((key) => key.toLowerCase() === folded);
  const name = kind === 'queue' ? entry.queueId : entry.session;
  return name?.toLowerCase() === folded;
}

function entryFrom(row: Columns): LedgerEntry {
  return {
    atMs: row[1],
    kind: row[2],
    session: row[3] ?? undefined,
    queueId: row[4] ?? undefined,
    keys: JSON.parse(row[5]) as readonly string[],
    facts: JSON.parse(row[6]) as JsonObject,
  };
}

function distinct<T>(entries: Found, pick: (entry: LedgerEntry) => T | undefined): T[] {
  const values = [...entries.values()].map(pick);
  return [...new Set(values.filter((value) => value !== undefined))].slice(0, STORIES);
}

function inOrder(entries: Found): LedgerEntry[] {
  return [...entries]
    .sort(([a, first], [b, second]) => first.atMs - second.atMs || a - b)
    .map(([, entry]) => entry);
}
