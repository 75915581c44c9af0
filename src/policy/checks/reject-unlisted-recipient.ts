/** reject_unlisted_recipient: no mailbox, alias or catch-all takes that address here. */

import { formatAddress } from '#base/address.ts';
import { resolve } from '../addresses/resolve.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'reject_unlisted_recipient';

/** Said in the session, so that no bounce has to be written later to a forged sender. */
export const rejectUnlistedRecipient: Check = {
  name: RULE,
  needsRecipient: true,
  judge: ({ recipient, directory, addresses }) => {
    if (recipient === undefined) return DUNNO;
    const address = formatAddress(recipient);
    switch (resolve(recipient, directory, addresses)[0]?.kind) {
      case 'unknown':
        return refused(RULE, 550, '5.1.1', 'No such mailbox here', `${address} leads nowhere`);
      case 'too-many':
        // A mistake of the operator's: the sender keeps the mail until it is mended.
        return refused(
          RULE,
          451,
          '4.3.5',
          'Address expands to too many others, try again later',
          `${address} is an alias that leads to more addresses than are followed`,
        );
      default:
        return DUNNO;
    }
  },
};
