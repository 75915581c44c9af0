/** append: messages that a client brings, all or none (RFC 3502). */

import type { ModSeq, Uid } from '#base/brand.ts';
import { splitFlags } from '../flags.ts';
import { ContentWriter } from '../steps/content.ts';
import { keywordsThatFit } from '../steps/keywords.ts';
import { findMailbox } from '../steps/mailbox.ts';
import { MailboxChange } from '../steps/message.ts';
import type { Run } from '../steps/step.ts';
import { threadOf } from '../steps/thread.ts';

export const append: Run<'append'> = (step, { mailbox: id, messages }) => {
  const mailbox = findMailbox(step, id);
  if (mailbox === undefined) return { kind: 'no-such-mailbox' };
  const contents = new ContentWriter(step);
  const change = new MailboxChange(step, mailbox);
  const uids = messages.map((message) => {
    const { mask, keywords } = splitFlags(message.flags);
    const content = contents.take(message.content, message.facts);
    return change.add({
      flags: mask,
      keywords: keywordsThatFit(step, mailbox.id, keywords),
      internalMs: message.internalDateMs,
      savedMs: step.nowMs,
      sizeBytes: content.sizeBytes,
      headBytes: content.headBytes,
      content: content.id,
      thread: threadOf(step, mailbox.account, content.id, message.facts),
    });
  });
  return {
    kind: 'appended',
    uidValidity: mailbox.uidValidity,
    uids: uids as Uid[],
    highestModSeq: change.finish() as ModSeq,
  };
};
