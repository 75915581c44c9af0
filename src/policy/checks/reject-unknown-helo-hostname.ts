/** reject_unknown_helo_hostname: the name in HELO has neither address nor MX in the DNS. */

import { visible } from '#base/bytes.ts';
import { parseAddressLiteral, parseDomain } from '#base/domain.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';
import { mailDomain, troubled } from './dns.ts';

const RULE = 'reject_unknown_helo_hostname';
const REJECTED = 'HELO rejected';

/** Text that is no name at all cannot be asked for: it is unknown, too. */
export const rejectUnknownHeloHostname: Check = {
  name: RULE,
  needs: 'sender',
  judge: (facts) => {
    const { helo } = facts.client;
    if (parseAddressLiteral(helo) !== undefined) return DUNNO;
    const name = parseDomain(helo);
    if (name === undefined) return unknown(helo);
    return mailDomain(name, facts).then((found) => {
      if (found.kind === 'trouble') return troubled(RULE, REJECTED, name, found.reason);
      return found.kind === 'unknown' ? unknown(name) : DUNNO;
    });
  },
};

function unknown(name: string) {
  const why = `HELO name "${visible(name)}" has neither address nor MX`;
  return refused(RULE, 450, '4.7.1', `${REJECTED}: host not found`, why);
}
