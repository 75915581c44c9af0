/** reject_sender_login_mismatch: who writes as one of our users must be logged in as that user. */

import { formatAddress } from '#base/address.ts';
import { isOwnedSender, ownsSender } from '../addresses/sender.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'reject_sender_login_mismatch';

/**
 * As in Postfix, and two exceptions: the null sender is nobody's, and an unauthenticated client
 * in mynetworks may write as our users (printers, cron); a login is always bound to its own.
 */
export const rejectSenderLoginMismatch: Check = {
  name: RULE,
  needs: 'sender',
  judge: ({ client, inMynetworks, sender, directory, addresses }) => {
    if (sender === null) return DUNNO;
    const address = formatAddress(sender);
    if (client.login !== undefined) {
      if (ownsSender(client.login, sender, directory, addresses)) return DUNNO;
      const why = `${address} does not belong to the login ${client.login.address}`;
      return refused(RULE, 553, '5.7.1', 'Sender address rejected: not owned by this login', why);
    }
    if (inMynetworks || !isOwnedSender(sender, directory, addresses)) return DUNNO;
    const why = `${address} belongs to a user here, and the client is not logged in`;
    return refused(RULE, 553, '5.7.1', 'Sender address rejected: not logged in', why);
  },
};
