/** reject_non_fqdn_sender: nobody could answer to a domain with a single label. */

import { formatAddress } from '#base/address.ts';
import type { Check } from './check.ts';
import { DUNNO, isFullyQualified, refused } from './check.ts';

export const rejectNonFqdnSender: Check = {
  name: 'reject_non_fqdn_sender',
  needs: 'sender',
  judge: ({ sender, directory }) => {
    if (sender === null || isFullyQualified(sender.domain)) return DUNNO;
    if (directory.domain(sender.domain) !== undefined) return DUNNO;
    return refused(
      'reject_non_fqdn_sender',
      504,
      '5.5.2',
      'Sender address rejected: need a fully-qualified address',
      `sender ${formatAddress(sender)} has a domain that is not fully qualified`,
    );
  },
};
