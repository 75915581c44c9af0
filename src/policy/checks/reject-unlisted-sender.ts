/** reject_unlisted_sender: an address of a domain of ours that does not exist sends nothing. */

import { formatAddress } from '#base/address.ts';
import { resolve } from '../addresses/resolve.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'reject_unlisted_sender';

export const rejectUnlistedSender: Check = {
  name: RULE,
  needs: 'sender',
  judge: ({ sender, directory, addresses }) => {
    if (sender === null || resolve(sender, directory, addresses)[0]?.kind !== 'unknown') {
      return DUNNO;
    }
    const why = `${formatAddress(sender)} leads nowhere here, so nobody writes as it`;
    return refused(RULE, 550, '5.1.0', 'Sender address rejected: no such mailbox here', why);
  },
};
