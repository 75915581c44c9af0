/** Writes ledger entries and what they are found by. */

import type { LedgerEntry } from '#store/ledger.ts';
import { HOUR_MS, keyHash } from '../ledger-keys.ts';
import type { Step } from './step.ts';

const KEYS = 1_000;

const ENTRY = `INSERT INTO ledger (at_ms, kind, session, queue_id, keys, facts)
  VALUES (?, ?, ?, ?, ?, ?)`;
const KEY = 'INSERT OR IGNORE INTO ledger_keys (hour, hash, entry) VALUES (?, ?, ?)';

/** Records entries in the same transaction as what they tell of. */
export function writeLedger(step: Step, entries: readonly LedgerEntry[]): void {
  for (const entry of entries) {
    const keys = entry.keys.length > KEYS ? entry.keys.slice(0, KEYS) : entry.keys;
    const id = step.sql.insert(
      ENTRY,
      entry.atMs,
      entry.kind,
      entry.session ?? null,
      entry.queueId ?? null,
      JSON.stringify(keys),
      JSON.stringify(entry.facts),
    );
    const hour = Math.floor(entry.atMs / HOUR_MS);
    if (entry.queueId !== undefined) step.sql.run(KEY, hour, keyHash('queue', entry.queueId), id);
    if (entry.session !== undefined) step.sql.run(KEY, hour, keyHash('session', entry.session), id);
    for (const key of keys) step.sql.run(KEY, hour, keyHash('key', key), id);
  }
}
