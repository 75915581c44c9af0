/** reject_unauth_pipelining: the client did not wait its turn, as programs do that only send. */

import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'reject_unauth_pipelining';

export const rejectUnauthPipelining: Check = {
  name: RULE,
  needs: 'sender',
  judge: ({ client }) => {
    if (client.impatient !== true) return DUNNO;
    const why = 'commands came before the greeting, or in one go without PIPELINING (RFC 2920 3.1)';
    return refused(RULE, 503, '5.5.0', 'Improper use of SMTP command pipelining', why);
  },
};
