/** Writes ledger entries at once, and behind, in batches, what they are found by. */

import type { LedgerEntry } from '#store/ledger.ts';
import type { Connection } from '../connection.ts';
import { keyHash } from '../ledger-keys.ts';
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
    SELECT min(bucket) FROM ledger_keys
    UNION ALL
    SELECT (SELECT min(bucket) FROM ledger_keys WHERE ledger_keys.bucket > buckets.bucket)
    FROM buckets WHERE buckets.bucket IS NOT NULL)
  SELECT bucket FROM buckets WHERE bucket IS NOT NULL LIMIT ?`;

type Columns = readonly [id: number, session: string | null, queueId: string | null, keys: string];

/** Records entries in the same transaction as what they tell of. */
export function writeLedger(step: Step, entries: readonly LedgerEntry[]): void {
  for (const entry of entries) {
    const keys = entry.keys.length > KEYS ? entry.keys.slice(0, KEYS) : entry.keys;
    step.effects.lastEntry = step.sql.insert(
      ENTRY,
      entry.atMs,
      entry.kind,
      entry.session ?? null,
      entry.queueId ?? null,
      JSON.stringify(keys),
      JSON.stringify(entry.facts),
    );
  }
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
    'SELECT id, session, queue_id, keys FROM ledger WHERE id > ? ORDER BY id LIMIT ?',
    after,
    BUCKET_ENTRIES,
  );
  const rows: (readonly [hash: number, entry: number])[] = [];
  for (const [id, session, queueId, keys] of entries) {
    if (queueId !== null) rows.push([keyHash('queue', queueId), id]);
    if (session !== null) rows.push([keyHash('session', session), id]);
    for (const key of JSON.parse(keys) as readonly string[]) rows.push([keyHash('key', key), id]);
  }
  rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  for (const [hash, entry] of rows) {
    sql.run('INSERT OR IGNORE INTO ledger_keys VALUES (?, ?, ?)', after + 1, hash, entry);
  }
  const last = entries.at(-1)?.[0] ?? after;
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
    step.sql.run('DELETE FROM ledger_keys WHERE bucket = ?', bucket);
  });
}
