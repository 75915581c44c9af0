/** What happened in a mailbox after a modification sequence (RFC 7162). */

import { Failure } from '#base/failure.ts';
import type { Awaitable, MailboxId, ModSeq, Uid } from '#base/brand.ts';
import type { Changes, Message } from '#store/mail.ts';
import type { Connection } from '../connection.ts';
import { SLICE_ROWS, pause } from './reading.ts';
import type { Reading } from './reading.ts';
import { messageFrom } from './rows.ts';
import type { MessageColumns } from './rows.ts';

const HIGHEST = 'SELECT highest_modseq, forgotten_modseq, uid_next FROM mailboxes WHERE id = ?';
const CHANGED = `SELECT uid, modseq, flags, keywords, internal_ms, saved_ms, size_bytes, head_bytes,
  content, thread FROM messages
  WHERE mailbox = ?1 AND modseq >= ?2 AND (modseq > ?2 OR uid > ?3) ORDER BY modseq, uid LIMIT ?4 + 0`;
const VANISHED = 'SELECT uid FROM tombstones WHERE mailbox = ? AND modseq > ? ORDER BY uid';
const UIDS = 'SELECT uid FROM messages WHERE mailbox = ? ORDER BY uid';
const KEYWORDS = 'SELECT number, name FROM keywords WHERE mailbox = ?';

interface Slice {
  readonly messages: readonly Message[];
  readonly highestModSeq: ModSeq;
  /** Read with the last slice only. */
  readonly vanished: readonly Uid[] | undefined;
}

/**
 * Changed messages are read in slices by modification sequence; a message that changes while
 * this goes on comes again with its new state. Fails temporarily with `no-such-mailbox`.
 */
export function changesAfter(reading: Reading, id: MailboxId, after: ModSeq): Awaitable<Changes> {
  const first = readSlice(reading, id, after, [after, 0xffff_ffff]);
  if (first.vanished === undefined) return furtherChanges(reading, id, after, first);
  return changesOf([first], first.vanished, first.highestModSeq);
}

async function furtherChanges(
  reading: Reading,
  id: MailboxId,
  after: ModSeq,
  first: Slice,
): Promise<Changes> {
  const slices = [first];
  for (let slice = first; ;) {
    await pause();
    const last = slice.messages.at(-1);
    slice = readSlice(reading, id, after, [last?.modSeq ?? after, last?.uid ?? 0]);
    slices.push(slice);
    if (slice.vanished !== undefined) {
      return changesOf(slices, slice.vanished, slice.highestModSeq);
    }
  }
}

function readSlice(
  reading: Reading,
  id: MailboxId,
  after: ModSeq,
  from: readonly [modSeq: number, uid: number],
): Slice {
  return reading.read((sql) => {
    const box = sql.row<[highest: ModSeq, forgotten: number, uidNext: number]>(HIGHEST, id);
    if (box === undefined) throw Failure.temporary('no-such-mailbox', 'the mailbox is gone');
    const [highestModSeq, forgotten, uidNext] = box;
    if (highestModSeq <= after) return { messages: [], highestModSeq, vanished: [] };
    const rows = sql.rows<MessageColumns>(CHANGED, id, from[0], from[1], SLICE_ROWS);
    const names = new Map(sql.rows<[number, string]>(KEYWORDS, id));
    const messages = rows.map((row) => messageFrom(id, row, names));
    if (rows.length === SLICE_ROWS) return { messages, highestModSeq, vanished: undefined };
    const vanished = after < forgotten ? missing(sql, id, uidNext) : gone(sql, id, after);
    return { messages, highestModSeq, vanished };
  });
}

function gone(sql: Connection, id: MailboxId, after: ModSeq): Uid[] {
  return sql.rows<[Uid]>(VANISHED, id, after).map(([uid]) => uid);
}

/**
 * Too long ago to know what vanished since: every UID that is not there. Naming UIDs that the
 * client never saw is allowed (RFC 7162 3.2.5.1).
 */
function missing(sql: Connection, id: MailboxId, uidNext: number): Uid[] {
  const vanished: Uid[] = [];
  let next = 1;
  for (const [uid] of sql.rows<[number]>(UIDS, id)) {
    for (; next < uid; next += 1) vanished.push(next as Uid);
    next = uid + 1;
  }
  for (; next < uidNext; next += 1) vanished.push(next as Uid);
  return vanished;
}

function changesOf(
  slices: readonly Slice[],
  vanished: readonly Uid[],
  highestModSeq: ModSeq,
): Changes {
  const byUid = new Map<Uid, Message>();
  for (const { messages } of slices)
    for (const message of messages) byUid.set(message.uid, message);
  if (slices.length > 1) for (const uid of vanished) byUid.delete(uid);
  const changed = [...byUid.values()].sort((a, b) => a.uid - b.uid);
  return { highestModSeq, changed, vanished };
}
