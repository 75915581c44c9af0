/** reject_unknown_client_hostname: the client's address has no name that leads back to it. */

import { checkIprev } from '#trust/iprev.ts';
import { isLoopback } from '#base/ip.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';
import { troubled } from './dns.ts';

const RULE = 'reject_unknown_client_hostname';
const REJECTED = 'Client host rejected';

/** RFC 8601 3; the enhanced code of RFC 7372 3.4. */
export const rejectUnknownClientHostname: Check = {
  name: RULE,
  needs: 'sender',
  judge: (facts) => {
    const { address } = facts.client;
    if (isLoopback(address)) return DUNNO;
    return checkIprev({ ip: address, resolver: facts.questions }).then(({ result, why }) => {
      if (result === 'pass') return DUNNO;
      if (result === 'temperror') return troubled(RULE, REJECTED, address, why);
      const text = `${REJECTED}: cannot find your host name, ${address}`;
      return refused(RULE, 450, '4.7.25', text, `${address}: ${why}`);
    });
  },
};
