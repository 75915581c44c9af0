/** Rows of messages: put into a mailbox one after another, and taken out with a tombstone. */

import type { UidRanges } from '#store/mail.ts';
import { DELETED, SEEN } from '../flags.ts';
import { countMailbox } from './mailbox.ts';
import type { Counts, MailboxRow } from './mailbox.ts';
import { releaseAll } from './references.ts';
import type { Chosen } from './references.ts';
import type { Step } from './step.ts';

/** A row of `messages` without its place. */
export interface MessageRow {
  readonly flags: number;
  readonly keywords: string | null;
  readonly internalMs: number;
  readonly savedMs: number;
  readonly sizeBytes: number;
  readonly headBytes: number;
  readonly content: number;
  readonly thread: number;
}

/** A row as it is read, with its UID. */
export interface PlacedRow extends MessageRow {
  readonly uid: number;
  readonly modseq: number;
}

const INSERT = 'INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
const BURY = `INSERT INTO tombstones SELECT mailbox, uid, ?5, flags, keywords, internal_ms,
  saved_ms, size_bytes, head_bytes, content, thread, ?6 FROM messages
  WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND (flags & ?4) = ?4`;
const REMOVE = `DELETE FROM messages
  WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND (flags & ?4) = ?4
  RETURNING uid, flags, size_bytes`;
const SELECT = `SELECT uid, modseq, flags, keywords, internal_ms AS internalMs,
  saved_ms AS savedMs, size_bytes AS sizeBytes, head_bytes AS headBytes, content, thread
  FROM messages WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT 1000`;

type Removed = readonly [uid: number, flags: number, sizeBytes: number];

/** Changes one mailbox under one new modification sequence; `finish` writes its counters. */
export class MailboxChange {
  readonly mailbox: MailboxRow;
  readonly modSeq: number;
  readonly #step: Step;
  readonly #counts: Counts = { messages: 0, unseen: 0, deleted: 0, sizeBytes: 0 };
  #uidNext: number;
  #isChanged = false;

  constructor(step: Step, mailbox: MailboxRow) {
    this.#step = step;
    this.mailbox = mailbox;
    this.modSeq = mailbox.highestModSeq + 1;
    this.#uidNext = mailbox.uidNext;
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** Puts a message at the end; the caller took the reference to its content. Returns the UID. */
  add(row: MessageRow): number {
    const uid = this.#uidNext;
    this.#uidNext += 1;
    this.#step.sql.run(
      INSERT,
      this.mailbox.id,
      uid,
      this.modSeq,
      row.flags,
      row.keywords,
      row.internalMs,
      row.savedMs,
      row.sizeBytes,
      row.headBytes,
      row.content,
      row.thread,
    );
    this.#count(row.flags, 1, row.sizeBytes);
    return uid;
  }

  /** Gives a message other flags. */
  setFlags(row: PlacedRow, flags: number, keywords: string | null): void {
    this.#step.sql.run(
      'UPDATE messages SET modseq = ?, flags = ?, keywords = ? WHERE mailbox = ? AND uid = ?',
      this.modSeq,
      flags,
      keywords,
      this.mailbox.id,
      row.uid,
    );
    this.#count(row.flags, -1, 0);
    this.#count(flags, 1, 0);
  }

  /**
   * Expunges messages that have all of `flags`: tombstones stay, their contents lose a reference.
   * Returns their UIDs, ascending.
   */
  remove(ranges: UidRanges, flags: number, nowMs: number): number[] {
    const uids: number[] = [];
    for (const [from, to] of ranges) {
      const chosen: Chosen = [this.mailbox.id, from, to, flags];
      if (this.#step.sql.run(BURY, ...chosen, this.modSeq, nowMs) === 0) continue;
      releaseAll(this.#step, chosen, nowMs);
      for (const [uid, mask, sizeBytes] of this.#step.sql.rows<Removed>(REMOVE, ...chosen)) {
        this.#count(mask, -1, -sizeBytes);
        uids.push(uid);
      }
    }
    return uids.sort((a, b) => a - b);
  }

  /** Writes the counters; returns the highest modification sequence, moved on or not. */
  finish(): number {
    if (!this.#isChanged) return this.mailbox.highestModSeq;
    const next = { uidNext: this.#uidNext, modSeq: this.modSeq };
    countMailbox(this.#step, this.mailbox.id, next, this.#counts);
    return this.modSeq;
  }

  #count(flags: number, by: 1 | -1, sizeBytes: number): void {
    this.#isChanged = true;
    this.#counts.messages += by;
    if ((flags & SEEN) === 0) this.#counts.unseen += by;
    if ((flags & DELETED) !== 0) this.#counts.deleted += by;
    this.#counts.sizeBytes += sizeBytes;
  }
}

/** The messages within closed ranges, ascending. */
export function* rowsWithin(
  step: Step,
  mailbox: number,
  ranges: readonly (readonly [number, number])[],
): Generator<PlacedRow> {
  for (const [from, to] of ranges) {
    let first = from;
    while (first <= to) {
      const rows = step.sql.all<PlacedRow>(SELECT, mailbox, first, to);
      yield* rows;
      first = rows.length < 1000 ? to + 1 : (rows.at(-1)?.uid ?? to) + 1;
    }
  }
}
