/** Takes in one acceptance: its local deliveries, its queue rows, its ledger entries. */

import { Failure } from '#base/failure.ts';
import type { ContentId, MailboxId, Uid } from '#base/brand.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Acceptance, Delivery } from '#store/operations.ts';
import { splitFlags } from '../flags.ts';
import { INBOX, isMailboxName, mailboxName } from '../names.ts';
import { ContentWriter } from './content.ts';
import { keywordsThatFit } from './keywords.ts';
import { writeLedger } from './ledger.ts';
import type { WrittenEntry } from './ledger.ts';
import { findMailbox, makeMailbox } from './mailbox.ts';
import type { MailboxRow } from './mailbox.ts';
import { MailboxChange } from './message.ts';
import { enqueue } from './queue.ts';
import type { Step } from './step.ts';
import { threadOf } from './thread.ts';

export interface Delivered {
  readonly mailbox: MailboxId;
  readonly uid: Uid;
}

export interface TakenIn {
  readonly deliveries: readonly Delivered[];
  readonly queued?: ContentId;
}

const FIND = `SELECT id, account, name, uid_validity AS uidValidity, uid_next AS uidNext,
  highest_modseq AS highestModSeq FROM mailboxes WHERE account = ? AND name = ?`;

/** An acceptance whose ledger entries may be written already. */
export type TakenAcceptance = Omit<Acceptance, 'ledger'> & {
  readonly ledger: readonly (LedgerEntry | WrittenEntry)[];
};

/** Writes all of it; throws temporarily when an account has gone in the meantime. */
export function takeIn(step: Step, acceptance: TakenAcceptance): TakenIn {
  const contents = new ContentWriter(step);
  const deliveries = acceptance.deliveries.map((delivery) =>
    deliver(step, contents, delivery, acceptance.atMs),
  );
  const { id, atMs, relay } = acceptance;
  const queued = relay && enqueue(step, contents, id, atMs, relay);
  writeLedger(step, acceptance.ledger);
  return queued === undefined ? { deliveries } : { deliveries, queued };
}

function deliver(step: Step, contents: ContentWriter, delivery: Delivery, atMs: number): Delivered {
  const { facts } = delivery;
  const mailbox = mailboxFor(step, delivery.account, delivery.mailbox);
  const { mask, keywords } = splitFlags(delivery.flags);
  const content = contents.take(delivery.content, facts);
  const change = new MailboxChange(step, mailbox);
  const uid = change.add({
    flags: mask,
    keywords: keywordsThatFit(step, mailbox.id, keywords),
    internalMs: delivery.internalDateMs,
    savedMs: atMs,
    sizeBytes: content.sizeBytes,
    headBytes: content.headBytes,
    content: content.id,
    thread: threadOf(step, delivery.account, content.id, facts),
  });
  change.finish();
  return { mailbox: mailbox.id as MailboxId, uid: uid as Uid };
}

/** The mailbox of a name; made when missing; INBOX when it cannot be made: mail matters more. */
function mailboxFor(step: Step, account: number, asked: string): MailboxRow {
  const name = isMailboxName(asked) ? mailboxName(asked) : INBOX;
  const found = step.sql.get<MailboxRow>(FIND, account, name);
  if (found !== undefined) return found;
  const inbox = step.sql.get<MailboxRow>(FIND, account, INBOX);
  if (inbox === undefined) {
    throw Failure.temporary('no-such-account', `account ${account} is no longer there`);
  }
  const made = makeMailbox(step, account, name, { isSubscribed: true });
  return (made === undefined ? undefined : findMailbox(step, made)) ?? inbox;
}
