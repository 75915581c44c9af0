/** Reads the rows of UID ranges with few statements, however the ranges are cut. */

import type { MailboxId } from '#base/brand.ts';
import type { UidRanges } from '#store/mail.ts';
import type { Connection } from '../connection.ts';
import type { MessageColumns } from './rows.ts';

const MESSAGES = `SELECT uid, modseq, flags, keywords, internal_ms, saved_ms, size_bytes,
  head_bytes, content, thread FROM messages
  WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ? + 0`;
const TOMBSTONES = `SELECT uid, modseq, flags, keywords, internal_ms, saved_ms, size_bytes,
  head_bytes, content, thread FROM tombstones
  WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND expunged_ms > ?5 ORDER BY uid LIMIT ?4 + 0`;

const FLAGS = `SELECT uid, modseq, flags, keywords FROM messages
  WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ? + 0`;
const GONE_FLAGS = `SELECT uid, modseq, flags, keywords FROM tombstones
  WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND expunged_ms > ?5 ORDER BY uid LIMIT ?4 + 0`;

/** Rows between two ranges that are rather read and dropped than jumped over. */
const GAP = 32;
/** Rows that one statement brings. */
const CHUNK = 1_000;

type Read<Row> = (from: number, to: number, limit: number) => readonly Row[];

/** The columns that flags are made of. */
export type FlagColumns = readonly [
  uid: number,
  modSeq: number,
  flags: number,
  keywords: string | null,
];

/**
 * Rows within closed ascending ranges, ascending, at most `limit`; those expunged after
 * `expungedSinceMs` too when it is set.
 */
export function rowsWithin(
  sql: Connection,
  id: MailboxId,
  ranges: UidRanges,
  limit: number,
  expungedSinceMs: number | undefined,
): readonly MessageColumns[] {
  const messages = scan(ranges, limit, (from, to, count) =>
    sql.rows<MessageColumns>(MESSAGES, id, from, to, count),
  );
  if (expungedSinceMs === undefined) return messages;
  const gone = scan(ranges, limit, (from, to, count) =>
    sql.rows<MessageColumns>(TOMBSTONES, id, from, to, count, expungedSinceMs),
  );
  return merge(messages, gone, limit);
}

/** The flags of the same rows, expunged ones included. */
export function flagsWithin(
  sql: Connection,
  id: MailboxId,
  ranges: UidRanges,
  limit: number,
  expungedSinceMs: number,
): readonly FlagColumns[] {
  const messages = scan(ranges, limit, (from, to, count) =>
    sql.rows<FlagColumns>(FLAGS, id, from, to, count),
  );
  const gone = scan(ranges, limit, (from, to, count) =>
    sql.rows<FlagColumns>(GONE_FLAGS, id, from, to, count, expungedSinceMs),
  );
  return merge(messages, gone, limit);
}

function merge<Row extends FlagColumns | MessageColumns>(
  messages: readonly Row[],
  gone: readonly Row[],
  limit: number,
): readonly Row[] {
  if (gone.length === 0) return messages;
  return [...messages, ...gone].sort((a, b) => a[0] - b[0]).slice(0, limit);
}

/**
 * Neighbouring ranges are read as one span. When the rows show that whole ranges are empty the
 * scan goes on behind them, so that many ranges over few messages cost few statements.
 */
function scan<Row extends FlagColumns | MessageColumns>(
  ranges: UidRanges,
  limit: number,
  read: Read<Row>,
): Row[] {
  const last = ranges.at(-1)?.[1] ?? 0;
  const found: Row[] = [];
  let at = 0;
  let from = ranges[0]?.[0] ?? 1;
  while (at < ranges.length && found.length < limit) {
    // Asked for up to the last range: no row at all then means that the rest is empty.
    const width = spanEnd(ranges, at) - from + 2;
    const between = at === ranges.length - 1 ? 0 : GAP;
    const rows = read(from, last, Math.min(CHUNK, width, limit - found.length + between));
    for (const row of rows) {
      while (at < ranges.length && (ranges[at]?.[1] ?? 0) < row[0]) at += 1;
      const range = ranges[at];
      if (range === undefined || found.length === limit) break;
      if (row[0] >= range[0]) found.push(row);
    }
    const reached = rows.at(-1)?.[0];
    if (reached === undefined) break;
    from = reached + 1;
    while (at < ranges.length && (ranges[at]?.[1] ?? 0) < from) at += 1;
    from = Math.max(from, ranges[at]?.[0] ?? 0);
  }
  return found;
}

/** The end of the ranges that follow one another with small gaps, from range `at` on. */
function spanEnd(ranges: UidRanges, at: number): number {
  let end = ranges[at]?.[1] ?? 0;
  for (let next = at + 1; next < ranges.length; next += 1) {
    const range = ranges[next];
    if (range === undefined || range[0] - end > GAP || range[1] - (ranges[at]?.[0] ?? 0) > CHUNK) {
      break;
    }
    end = range[1];
  }
  return end;
}
