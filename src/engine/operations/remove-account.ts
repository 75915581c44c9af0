/** removeAccount: an account with all its mail; refused while something points to it. */

import { directoryChanged, pointerTo } from '../steps/directory.ts';
import { removeMailboxes } from '../steps/removal.ts';
import type { Run } from '../steps/step.ts';

export const removeAccount: Run<'removeAccount'> = (step, { account }) => {
  const address = step.sql.row<[string]>('SELECT address FROM accounts WHERE id = ?', account)?.[0];
  if (address === undefined) return { kind: 'no-such-account' };
  const by = pointerTo(step, address);
  if (by !== undefined) return { kind: 'in-use', by };
  const mailboxes = step.sql.rows<[number]>('SELECT id FROM mailboxes WHERE account = ?', account);
  removeMailboxes(
    step,
    mailboxes.map(([id]) => id),
    step.nowMs,
  );
  step.sql.run('DELETE FROM subscriptions WHERE account = ?', account);
  step.sql.run('DELETE FROM threads WHERE account = ?', account);
  step.sql.run('DELETE FROM accounts WHERE id = ?', account);
  directoryChanged(step);
  return { kind: 'done' };
};
