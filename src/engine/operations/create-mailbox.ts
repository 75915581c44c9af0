/** createMailbox: a new mailbox with the parents it lacks (RFC 3501 6.3.3). */

import type { MailboxId } from '#base/brand.ts';
import { newMailboxName } from '../names.ts';
import { findMailboxId, makeMailbox } from '../steps/mailbox.ts';
import type { Run } from '../steps/step.ts';

export const createMailbox: Run<'createMailbox'> = (step, input) => {
  const name = newMailboxName(input.name);
  if (findMailboxId(step, input.account, name) !== undefined) return { kind: 'exists' };
  const { specialUse } = input;
  const mailbox = makeMailbox(step, input.account, name, { specialUse });
  if (mailbox === undefined) return { kind: 'too-many-mailboxes' };
  step.effects.mailboxes.add(mailbox);
  return { kind: 'created', mailbox: mailbox as MailboxId };
};
