/** reject_invalid_helo_hostname: the name in HELO is no host name and no address literal. */

import { visible } from '#base/bytes.ts';
import { parseAddressLiteral, parseDomain } from '#base/domain.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

/**
 * Underscores and a trailing dot are let through: real senders have them. What is left is what
 * no host has: `..`, 10 KB of text, bare IP addresses (RFC 5321 4.1.3 wants brackets).
 */
export const rejectInvalidHeloHostname: Check = {
  name: 'reject_invalid_helo_hostname',
  needs: 'sender',
  judge: ({ client }) => {
    const { helo } = client;
    if (parseDomain(helo) !== undefined || parseAddressLiteral(helo) !== undefined) return DUNNO;
    return refused(
      'reject_invalid_helo_hostname',
      501,
      '5.5.2',
      'HELO rejected: invalid name',
      `HELO name "${visible(helo)}" is neither a host name nor an address literal`,
    );
  },
};
