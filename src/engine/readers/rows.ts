/** Rows as they are read, and what they mean to the rest of the program. */

import type { AccountId, ContentId, MailboxId, ModSeq, Uid } from '#base/brand.ts';
import type { Mailbox, Message, SpecialUse } from '#store/mail.ts';
import { joinFlags } from '../flags.ts';

export type MailboxColumns = readonly [
  id: number,
  account: number,
  name: string,
  uidValidity: number,
  uidNext: number,
  highestModSeq: number,
  messages: number,
  unseen: number,
  deleted: number,
  sizeBytes: number,
  specialUse: string | null,
];

export type MessageColumns = readonly [
  uid: number,
  modSeq: number,
  flags: number,
  keywords: string | null,
  internalMs: number,
  savedMs: number,
  sizeBytes: number,
  headBytes: number,
  content: number,
  thread: number,
];

export function mailboxFrom(row: MailboxColumns): Mailbox {
  return {
    id: row[0] as MailboxId,
    account: row[1] as AccountId,
    name: row[2],
    uidValidity: row[3],
    uidNext: row[4],
    highestModSeq: row[5] as ModSeq,
    messages: row[6],
    unseen: row[7],
    deleted: row[8],
    sizeBytes: row[9],
    specialUse: (row[10] ?? undefined) as SpecialUse | undefined,
    // Ids of mailboxes are never used twice, and survive RENAME (RFC 8474 4).
    objectId: `F${row[0].toString(36)}`,
  };
}

export function messageFrom(
  mailbox: MailboxId,
  row: MessageColumns,
  names: ReadonlyMap<number, string>,
): Message {
  return {
    mailbox,
    uid: row[0] as Uid,
    modSeq: row[1] as ModSeq,
    flags: joinFlags(row[2], row[3], names),
    internalDateMs: row[4],
    savedMs: row[5],
    sizeBytes: row[6],
    headBytes: row[7],
    content: row[8] as ContentId,
    // Copies share their content, and so these (RFC 8474 5.1); contents' ids are never used twice.
    emailId: `M${row[8].toString(36)}`,
    threadId: `T${row[9].toString(36)}`,
  };
}
