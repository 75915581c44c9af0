/** expunge: takes messages out of a mailbox; they can be read for another hour. */

import type { ModSeq, Uid } from '#base/brand.ts';
import type { UidRanges } from '#store/mail.ts';
import { DELETED } from '../flags.ts';
import { findMailbox } from '../steps/mailbox.ts';
import { MailboxChange } from '../steps/message.ts';
import type { Run } from '../steps/step.ts';

const ALL: UidRanges = [[1, 0xffff_ffff]];

export const expunge: Run<'expunge'> = (step, input) => {
  const mailbox = findMailbox(step, input.mailbox);
  if (mailbox === undefined) return { kind: 'no-such-mailbox' };
  const change = new MailboxChange(step, mailbox);
  const flags = input.onlyDeleted ? DELETED : 0;
  const uids = change.remove(input.uids ?? ALL, flags, input.nowMs) as Uid[];
  return { kind: 'expunged', uids, highestModSeq: change.finish() as ModSeq };
};
