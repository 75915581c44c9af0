/** reject_unknown_reverse_client_hostname: the client's address has no name at all. */

import { isLoopback } from '#base/ip.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';
import { troubled } from './dns.ts';

const RULE = 'reject_unknown_reverse_client_hostname';
const REJECTED = 'Client host rejected';

export const rejectUnknownReverseClientHostname: Check = {
  name: RULE,
  needs: 'sender',
  judge: (facts) => {
    const { address } = facts.client;
    if (isLoopback(address)) return DUNNO;
    return facts.questions.ptr(address).then((found) => {
      if (found.kind === 'found') return DUNNO;
      if (found.kind === 'failed') return troubled(RULE, REJECTED, address, found.reason);
      const text = `${REJECTED}: cannot find your reverse host name, ${address}`;
      return refused(RULE, 450, '4.7.25', text, `${address} has no PTR record`);
    });
  },
};
