/** Rows of mailboxes: found, made with their parents, and counted. */

import { Failure } from '#base/failure.ts';
import { isInbox, parentNames } from '../names.ts';
import type { Step } from './step.ts';

/** A mailbox as the operations need it. */
export interface MailboxRow {
  readonly id: number;
  readonly account: number;
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModSeq: number;
}

/** What a step adds to a mailbox' counters; each may be negative. */
export interface Counts {
  messages: number;
  unseen: number;
  deleted: number;
  sizeBytes: number;
}

const COLUMNS_BY_ID = `SELECT id, account, name, uid_validity AS uidValidity, uid_next AS uidNext,
  highest_modseq AS highestModSeq FROM mailboxes WHERE id = ?`;
const COUNT = `UPDATE mailboxes SET uid_next = ?, highest_modseq = ?, messages = messages + ?,
  unseen = unseen + ?, deleted = deleted + ?, size_bytes = size_bytes + ? WHERE id = ?`;
const LARGEST_UID_VALIDITY = 0xffff_ffff;

export function findMailbox(step: Step, id: number): MailboxRow | undefined {
  return step.sql.get<MailboxRow>(COLUMNS_BY_ID, id);
}

export function findMailboxId(step: Step, account: number, name: string): number | undefined {
  return step.sql.row<[number]>(
    'SELECT id FROM mailboxes WHERE account = ? AND name = ?',
    account,
    name,
  )?.[0];
}

/** Writes new counters and tells the watchers. */
export function countMailbox(
  step: Step,
  id: number,
  next: { readonly uidNext: number; readonly modSeq: number },
  counts: Counts,
): void {
  step.sql.run(
    COUNT,
    next.uidNext,
    next.modSeq,
    counts.messages,
    counts.unseen,
    counts.deleted,
    counts.sizeBytes,
    id,
  );
  step.effects.mailboxes.add(id);
}

/** Makes a mailbox and the parents it lacks; undefined when that would be too many. */
export function makeMailbox(
  step: Step,
  account: number,
  name: string,
  options: { readonly specialUse?: string | undefined; readonly isSubscribed?: boolean } = {},
): number | undefined {
  const missing = parentNames(name).filter(
    (parent) => findMailboxId(step, account, parent) === undefined,
  );
  const count = step.sql.row<[number]>(
    'SELECT count(*) FROM mailboxes WHERE account = ?',
    account,
  )?.[0];
  if ((count ?? 0) + missing.length + 1 > step.limits.mailboxesPerAccount && !isInbox(name)) {
    return undefined;
  }
  for (const parent of missing) insertMailbox(step, account, parent, undefined);
  if (options.isSubscribed === true) subscribe(step, account, name);
  return insertMailbox(step, account, name, options.specialUse);
}

export function subscribe(step: Step, account: number, name: string): void {
  step.sql.run('INSERT OR IGNORE INTO subscriptions VALUES (?, ?)', account, name);
}

function insertMailbox(
  step: Step,
  account: number,
  name: string,
  specialUse: string | undefined,
): number {
  return step.sql.insert(
    'INSERT INTO mailboxes (account, name, uid_validity, special_use) VALUES (?, ?, ?, ?)',
    account,
    name,
    nextUidValidity(step),
    specialUse ?? null,
  );
}

/**
 * Grows with each mailbox of the store and never goes back, so that no name gets a value twice
 * (RFC 3501 2.3.1.1); no smaller than the seconds since 1970, as clients expect.
 */
function nextUidValidity(step: Step): number {
  const row = step.sql.row<[number]>(
    `UPDATE meta SET value = max(value + 1, ?) WHERE name = 'uidvalidity' RETURNING value`,
    Math.max(1, Math.floor(step.nowMs / 1000)),
  );
  const value = row?.[0] ?? 0;
  if (value > 0 && value <= LARGEST_UID_VALIDITY) return value;
  throw Failure.permanent('uid-validity-exhausted', 'the store has used all UIDVALIDITY values');
}
