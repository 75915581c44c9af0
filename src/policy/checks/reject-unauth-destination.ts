/** reject_unauth_destination: this server is not the way to that domain (RFC 5321 7.9). */

import { formatAddress } from '#base/address.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

/** Makes the lists read as in Postfix; the decision itself is RelayPermit's. */
export const rejectUnauthDestination: Check = {
  name: 'reject_unauth_destination',
  needs: 'recipient',
  judge: ({ client, recipient, directory, addresses }) => {
    if (recipient === undefined || directory.domain(recipient.domain) !== undefined) return DUNNO;
    if (addresses.isOwnLiteral?.(recipient.domain) === true) return DUNNO;
    return refused(
      'reject_unauth_destination',
      554,
      '5.7.1',
      'Relay access denied',
      `${formatAddress(recipient)} is in no domain of this server (client ${client.address})`,
    );
  },
};
