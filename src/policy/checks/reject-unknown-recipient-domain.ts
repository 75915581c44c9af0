/** reject_unknown_recipient_domain: mail for a domain that does not exist would only come back. */

import { isAddressLiteral } from '#base/domain.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';
import { mailDomain, troubled } from './dns.ts';

const RULE = 'reject_unknown_recipient_domain';
const REJECTED = 'Recipient address rejected';

/** Our own domains are never asked for. */
export const rejectUnknownRecipientDomain: Check = {
  name: RULE,
  needs: 'recipient',
  judge: (facts) => {
    const { recipient, directory } = facts;
    if (recipient === undefined || isAddressLiteral(recipient.domain)) return DUNNO;
    const { domain } = recipient;
    if (directory.domain(domain) !== undefined) return DUNNO;
    return mailDomain(domain, facts).then((found) => {
      switch (found.kind) {
        case 'exists':
          return DUNNO;
        case 'trouble':
          return troubled(RULE, REJECTED, domain, found.reason);
        case 'null-mx':
          // RFC 7505 4.1.
          return refused(
            RULE,
            556,
            '5.1.10',
            `${REJECTED}: its domain takes no mail`,
            `${domain} has a null MX`,
          );
        case 'unknown':
          return refused(
            RULE,
            450,
            '4.1.2',
            `${REJECTED}: domain not found`,
            `${domain} has neither MX nor address`,
          );
      }
    });
  },
};
