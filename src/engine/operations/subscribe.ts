/** subscribe: a name on or off the account's list, whether or not it exists (RFC 3501 6.3.6). */

import { mailboxName } from '../names.ts';
import { subscribe as addSubscription } from '../steps/mailbox.ts';
import type { Run } from '../steps/step.ts';

export const subscribe: Run<'subscribe'> = (step, { account, name, on }) => {
  const written = mailboxName(name);
  if (on) {
    addSubscription(step, account, written);
  } else {
    step.sql.run('DELETE FROM subscriptions WHERE account = ? AND name = ?', account, written);
  }
  return { kind: 'done' };
};
