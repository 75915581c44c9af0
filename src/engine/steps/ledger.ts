/** Writes ledger entries at once, and behind, in batches, what they are found by. */

import type { LedgerEntry } from '#store/ledger.ts';
import type { Connection } from '../connection.ts';
import { BUCKET_NUMBERS, keyHash, partsOf, placeOf } from '../ledger-keys.ts';
import type { Step } from './step.ts';

/** Keys of one entry. */
const KEYS = 1_000;
/** Entries that share a bucket of keys: more make a pause, fewer make many buckets. */
export const BUCKET_ENTRIES = 2_000;
/** Buckets that one sweep removes. */
const SWEPT_BUCKETS = 10;

const ENTRY = `INSERT INTO ledger (at_ms, kind, session, queue_id, keys, facts)
  VALUES (?, ?, ?, ?, ?, ?)`;
const BUCKETS = `WITH RECURSIVE buckets (bucket) AS (
    SELECT min(bucket) FROM ledger_index
    UNION ALL
    SELECT (SELECT min(bucket) FROM ledger_index WHERE ledger_index.bucket > buckets.bucket)
    FROM buckets WHERE buckets.bucket IS NOT NULL)
  SELECT bucket FROM buckets WHERE bucket IS NOT NULL LIMIT ? + 0`;

/** An entry with its lists as they are kept: an entry that came from another thread. */
export type WrittenEntry = Omit<LedgerEntry, 'keys' | 'facts'> & {
  readonly keys: string;
  readonly facts: string;
};

type Columns = readonly [id: number, session: string | null, queueId: string | null, keys: string];

/** Records entries in the same transaction as what they tell of. */
export function writeLedger(step: Step, entries: readonly (LedgerEntry | WrittenEntry)[]): void {
  for (const entry of entries) {
    const { keys, facts } = isWritten(entry) ? entry : writtenEntry(entry);
    step.effects.lastEntry = step.sql.insert(
      ENTRY,
      entry.atMs,
      entry.kind,
      entry.session ?? null,
      entry.queueId ?? null,
      keys,
      facts,
    );
  }
}

/** Keys beyond the first thousand are left away. */
export function writtenEntry(entry: LedgerEntry): WrittenEntry {
  const { atMs, kind, session, queueId, keys, facts } = entry;
  const few = keys.length > KEYS ? keys.slice(0, KEYS) : keys;
  return { atMs, kind, session, queueId, keys: JSON.stringify(few), facts: JSON.stringify(facts) };
}

function isWritten(entry: LedgerEntry | WrittenEntry): entry is WrittenEntry {
  return typeof entry.facts === 'string';
}

/** The number of the last entry whose keys are in a bucket. */
export function indexedEntry(sql: Connection): number {
  return sql.row<[number]>(`SELECT value FROM meta WHERE name = 'indexed'`)?.[0] ?? 0;
}

/**
 * Puts the keys of the next entries into a bucket of their own, in the order of the table, so
 * that they fill a few pages and touch no other. Returns the number of the last entry.
 */
export function indexLedger(sql: Connection): number {
  const after = indexedEntry(sql);
  const entries = sql.rows<Columns>(
    'SELECT id, session, queue_id, keys FROM ledger WHERE id > ? ORDER BY id LIMIT ? + 0',
    after,
    BUCKET_ENTRIES,
  );
  const bucket = after + 1;
  const places: number[] = [];
  let last = after;
  for (const [id, session, queueId, keys] of entries) {
    const number = id - bucket;
    if (number >= BUCKET_NUMBERS) break;
    if (queueId !== null) places.push(placeOf(keyHash('queue', queueId), number));
    if (session !== null) places.push(placeOf(keyHash('session', session), number));
    for (const key of JSON.parse(keys) as readonly string[]) {
      places.push(placeOf(keyHash('key', key), number));
    }
    last = id;
  }
  for (const [part, bytes] of partsOf(Float64Array.from(places).sort())) {
    sql.run('INSERT OR REPLACE INTO ledger_index VALUES (?, ?, ?)', bucket, part, bytes);
  }
  sql.run(`UPDATE meta SET value = ? WHERE name = 'indexed'`, last);
  return last;
}

/** Buckets all of whose entries are gone. */
export function forgetBuckets(step: Step): void {
  const oldest = step.sql.row<[number | null]>('SELECT min(id) FROM ledger')?.[0] ?? 0;
  const buckets = step.sql.rows<[number]>(BUCKETS, SWEPT_BUCKETS + 1);
  buckets.forEach(([bucket], index) => {
    const next = buckets[index + 1]?.[0];
    if (next === undefined || next > oldest) return;
    step.sql.run('DELETE FROM ledger_index WHERE bucket = ?', bucket);
  });
}
