/** A large expunge is carried out in portions, so that mail does not wait for it. */

import type { MailboxId, Uid } from '#base/brand.ts';
import type { Committed } from '#store/durable.ts';
import type { UidRanges } from '#store/mail.ts';
import type { Operations } from '#store/operations.ts';
import type { Connection } from './connection.ts';
import { DELETED } from './flags.ts';
import type { Reading } from './readers/reading.ts';

type Input = Operations['expunge']['input'];
type Expunged = Committed<Operations['expunge']['result']>;

const ALL: UidRanges = [[1, 0xffff_ffff]];
/** Ranges that one portion has at most: each is a look into the mailbox. */
const RANGES = 500;
const FIRST = `SELECT count(*), max(uid) FROM (SELECT uid FROM messages
  WHERE mailbox = ? AND uid BETWEEN ? AND ? AND (flags & ?) = ?4 ORDER BY uid LIMIT ? + 0)`;

/**
 * Each portion is a step of its own, with a modification sequence of its own: IMAP lets others
 * see a mailbox with some of them gone (RFC 3501 6.4.3 answers message by message). Fails with
 * the failure of the first portion that could not be written; those before stay expunged.
 */
export async function expungeInPortions(
  reading: Reading,
  input: Input,
  size: number,
  write: (input: Input) => Promise<Expunged>,
): Promise<Expunged> {
  const flags = input.onlyDeleted ? DELETED : 0;
  const uids: Uid[] = [];
  let left = input.uids ?? ALL;
  for (;;) {
    const after = left;
    const portion = reading.read((sql) => portionOf(sql, input.mailbox, after, flags, size));
    const { durable, result } = await write({ ...input, uids: portion.now });
    if (result.kind !== 'expunged') return { durable, result };
    for (const uid of result.uids) uids.push(uid);
    left = portion.rest;
    if (left.length === 0) return { durable, result: { ...result, uids } };
  }
}

/** As many of the ranges as hold `size` messages, and what is left of them. */
function portionOf(
  sql: Connection,
  mailbox: MailboxId,
  ranges: UidRanges,
  flags: number,
  size: number,
): { readonly now: UidRanges; readonly rest: UidRanges } {
  let room = size;
  for (const [index, [from, to]] of ranges.entries()) {
    if (index === RANGES) return { now: ranges.slice(0, index), rest: ranges.slice(index) };
    const [count, last] = sql.row<[number, number]>(FIRST, mailbox, from, to, flags, room) ?? [
      0, 0,
    ];
    room -= count;
    if (room > 0) continue;
    const now: UidRanges = [...ranges.slice(0, index), [from, last]];
    const rest = ranges.slice(index + 1);
    return { now, rest: last < to ? [[last + 1, to], ...rest] : rest };
  }
  return { now: ranges, rest: [] };
}
