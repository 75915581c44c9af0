/** expunge: takes messages out of a mailbox; they can be read for another hour. */

import type { ModSeq, Uid } from '#base/brand.ts';
import type { UidRanges } from '#store/mail.ts';
import { DELETED } from '../flags.ts';
import { findMailbox } from '../steps/mailbox.ts';
import { MailboxChange, rowsWithin } from '../steps/message.ts';
import type { Run } from '../steps/step.ts';

const ALL: UidRanges = [[1, 0xffff_ffff]];

export const expunge: Run<'expunge'> = (step, input) => {
  const mailbox = findMailbox(step, input.mailbox);
  if (mailbox === undefined) return { kind: 'no-such-mailbox' };
  const change = new MailboxChange(step, mailbox);
  const uids: Uid[] = [];
  for (const row of rowsWithin(step, mailbox.id, input.uids ?? ALL)) {
    if (input.onlyDeleted && (row.flags & DELETED) === 0) continue;
    change.remove(row, input.nowMs);
    uids.push(row.uid as Uid);
  }
  return { kind: 'expunged', uids, highestModSeq: change.finish() as ModSeq };
};
