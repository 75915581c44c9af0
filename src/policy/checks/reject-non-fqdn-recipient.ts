/** reject_non_fqdn_recipient: a domain with a single label means another host to each reader. */

import { formatAddress } from '#base/address.ts';
import type { Check } from './check.ts';
import { DUNNO, isFullyQualified, refused } from './check.ts';

export const rejectNonFqdnRecipient: Check = {
  name: 'reject_non_fqdn_recipient',
  needs: 'recipient',
  judge: ({ recipient, directory }) => {
    if (recipient === undefined || isFullyQualified(recipient.domain)) return DUNNO;
    if (directory.domain(recipient.domain) !== undefined) return DUNNO;
    return refused(
      'reject_non_fqdn_recipient',
      504,
      '5.5.2',
      'Recipient address rejected: need a fully-qualified address',
      `recipient ${formatAddress(recipient)} has a domain that is not fully qualified`,
    );
  },
};
