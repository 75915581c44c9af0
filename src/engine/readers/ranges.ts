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

/** A statement costs as much as this many rows. */
const GAP = 32;
/** Rows that one statement brings. */
const CHUNK = 1_000;

/** At most `limit` rows from one UID to another, ascending. */
export type Read<Row> = (from: number, to: number, limit: number) => readonly Row[];

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
  const messages = scan(ranges, limit, uidOf, (from, to, count) =>
    sql.rows<MessageColumns>(MESSAGES, id, from, to, count),
  );
  if (expungedSinceMs === undefined) return messages;
  const gone = scan(ranges, limit, uidOf, (from, to, count) =>
    sql.rows<MessageColumns>(TOMBSTONES, id, from, to, count, expungedSinceMs),
  );
  return merge(messages, gone, limit, uidOf);
}

function uidOf(row: MessageColumns): number {
  return row[0];
}

/** Living and expunged ones, ascending, at most `limit`. */
export function merge<Row>(
  messages: readonly Row[],
  gone: readonly Row[],
  limit: number,
  uidOf: (row: Row) => number,
): readonly Row[] {
  if (gone.length === 0) return messages;
  return [...messages, ...gone].sort((a, b) => uidOf(a) - uidOf(b)).slice(0, limit);
}

/**
 * Neighbouring ranges are read as one span. When the rows show that whole ranges are empty the
 * scan goes on behind them, so that many ranges over few messages cost few statements. Up to `gap`
 * rows between two ranges are rather read and dropped than jumped over.
 */
export function scan<Row>(
  ranges: UidRanges,
  limit: number,
  uidOf: (row: Row) => number,
  read: Read<Row>,
  gap = GAP,
): Row[] {
  const last = ranges.at(-1)?.[1] ?? 0;
  const found: Row[] = [];
  let at = 0;
  let from = ranges[0]?.[0] ?? 1;
  while (at < ranges.length && found.length < limit) {
    // Asked for up to the last range: no row at all then means that the rest is empty.
    const width = spanEnd(ranges, at, gap) - from + 2;
    const between = at === ranges.length - 1 ? 0 : gap;
    const rows = read(from, last, Math.min(CHUNK, width, limit - found.length + between));
    for (const row of rows) {
      const uid = uidOf(row);
      while (at < ranges.length && (ranges[at]?.[1] ?? 0) < uid) at += 1;
      const range = ranges[at];
      if (range === undefined || found.length === limit) break;
      if (uid >= range[0]) found.push(row);
    }
    const reached = rows.at(-1);
    if (reached === undefined) break;
    from = uidOf(reached) + 1;
    while (at < ranges.length && (ranges[at]?.[1] ?? 0) < from) at += 1;
    from = Math.max(from, ranges[at]?.[0] ?? 0);
  }
  return found;
}

/** The end of the ranges that follow one another with small gaps, from range `at` on. */
function spanEnd(ranges: UidRanges, at: number, gap: number): number {
  let end = ranges[at]?.[1] ?? 0;
  for (let next = at + 1; next < ranges.length; next += 1) {
    const range = ranges[next];
    if (range === undefined || range[0] - end > gap || range[1] - (ranges[at]?.[0] ?? 0) > CHUNK) {
      break;
    }
    end = range[1];
  }
  return end;
}
