/** deleteMailbox: a mailbox and its messages go for good (RFC 3501 6.3.4). */

import { childRange, isInbox } from '../names.ts';
import { findMailbox } from '../steps/mailbox.ts';
import { removeMailboxes } from '../steps/removal.ts';
import type { Run } from '../steps/step.ts';

export const deleteMailbox: Run<'deleteMailbox'> = (step, input) => {
  const mailbox = findMailbox(step, input.mailbox);
  if (mailbox === undefined) return { kind: 'no-such-mailbox' };
  if (isInbox(mailbox.name)) return { kind: 'is-inbox' };
  const { first, end } = childRange(mailbox.name);
  const child = step.sql.row(
    'SELECT 1 FROM mailboxes WHERE account = ? AND name > ? AND name < ? LIMIT 1',
    mailbox.account,
    first,
    end,
  );
  if (child !== undefined) return { kind: 'has-children' };
  removeMailboxes(step, [mailbox.id], input.nowMs);
  return { kind: 'done' };
};
