/** reject_non_fqdn_helo_hostname: the name in HELO has a single label (RFC 5321 2.3.5). */

import { visible } from '#base/bytes.ts';
import type { Check } from './check.ts';
import { DUNNO, isFullyQualified, refused } from './check.ts';

export const rejectNonFqdnHeloHostname: Check = {
  name: 'reject_non_fqdn_helo_hostname',
  needs: 'sender',
  judge: ({ client }) => {
    const name = client.helo.endsWith('.') ? client.helo.slice(0, -1) : client.helo;
    if (isFullyQualified(name)) return DUNNO;
    return refused(
      'reject_non_fqdn_helo_hostname',
      504,
      '5.5.2',
      'HELO rejected: need a fully-qualified host name',
      `HELO name "${visible(client.helo)}" is not fully qualified`,
    );
  },
};
