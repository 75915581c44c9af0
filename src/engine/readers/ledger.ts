/** Reads the ledger: the stories that a key leads to. */

import type { QueueId, SessionId } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import type { LedgerEntry, LedgerReader } from '#store/ledger.ts';
import type { Connection } from '../connection.ts';
import { keyHash } from '../ledger-keys.ts';
import type { KeyKind } from '../ledger-keys.ts';
import type { Reading } from './reading.ts';

const NEWEST_HOUR = 'SELECT max(hour) FROM ledger_keys';
const OLDER_HOUR = 'SELECT max(hour) FROM ledger_keys WHERE hour < ?';
const FOUND = `SELECT ledger.id, at_ms, kind, session, queue_id, keys, facts
  FROM ledger_keys JOIN ledger ON ledger.id = entry
  WHERE hour = ? AND hash = ? ORDER BY entry DESC LIMIT ?`;

type Columns = readonly [
  id: number,
  atMs: number,
  kind: LedgerEntry['kind'],
  session: SessionId | null,
  queueId: QueueId | null,
  keys: string,
  facts: string,
];

/** Entries by their row number. */
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
    return this.#reading.read((sql) => {
      const hours = allHours(sql);
      const find = (kind: KeyKind, value: string): Found => search(sql, hours, kind, value, limit);
      const story = find('session', key);
      const seeds = new Map([...find('queue', key), ...find('key', bareKey(key))]);
      for (const [id, entry] of story) {
        if (entry.queueId !== undefined) seeds.set(id, entry);
      }
      for (const queueId of distinct(seeds, ({ queueId }) => queueId)) {
        for (const [id, entry] of find('queue', queueId)) seeds.set(id, entry);
      }
      const queueIds = new Set(distinct(seeds, ({ queueId }) => queueId));
      for (const session of distinct(seeds, ({ session }) => session)) {
        for (const [id, entry] of find('session', session)) {
          if (entry.queueId === undefined || queueIds.has(entry.queueId)) story.set(id, entry);
        }
      }
      for (const [id, entry] of seeds) story.set(id, entry);
      return inOrder(story).slice(-limit);
    });
  }
}

/** Message-IDs stand without brackets in the ledger. */
function bareKey(key: string): string {
  return key.startsWith('<') && key.endsWith('>') ? key.slice(1, -1) : key;
}

function allHours(sql: Connection): readonly number[] {
  const hours: number[] = [];
  let hour = sql.row<[number | null]>(NEWEST_HOUR)?.[0] ?? null;
  while (hour !== null) {
    hours.push(hour);
    hour = sql.row<[number | null]>(OLDER_HOUR, hour)?.[0] ?? null;
  }
  return hours;
}

/** Newest first, at most `limit`; hashes may meet, so the key itself is compared. */
function search(
  sql: Connection,
  hours: readonly number[],
  kind: KeyKind,
  key: string,
  limit: number,
): Found {
  const found: Found = new Map();
  const hash = keyHash(kind, key);
  const folded = key.toLowerCase();
  for (const hour of hours) {
    if (found.size >= limit) break;
    for (const row of sql.rows<Columns>(FOUND, hour, hash, limit - found.size)) {
      const entry = entryFrom(row);
      if (namesOf(entry, kind).some((name) => name.toLowerCase() === folded)) {
        found.set(row[0], entry);
      }
    }
  }
  return found;
}

function namesOf(entry: LedgerEntry, kind: KeyKind): readonly string[] {
  if (kind === 'key') return entry.keys;
  const name = kind === 'queue' ? entry.queueId : entry.session;
  return name === undefined ? [] : [name];
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
  return [...new Set(values.filter((value) => value !== undefined))];
}

function inOrder(entries: Found): LedgerEntry[] {
  return [...entries]
    .sort(([a, first], [b, second]) => first.atMs - second.atMs || a - b)
    .map(([, entry]) => entry);
}
