/** reject_unknown_sender_domain: nobody could answer to a domain without MX and address. */

import { isAddressLiteral } from '#base/domain.ts';
import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';
import { mailDomain, troubled } from './dns.ts';

const RULE = 'reject_unknown_sender_domain';
const REJECTED = 'Sender address rejected';

/** A domain with a null MX says itself that it sends nothing (RFC 7505 4.2). */
export const rejectUnknownSenderDomain: Check = {
  name: RULE,
  needs: 'sender',
  judge: (facts) => {
    const { sender, directory } = facts;
    if (sender === null || isAddressLiteral(sender.domain)) return DUNNO;
    const { domain } = sender;
    if (directory.domain(domain) !== undefined) return DUNNO;
    return mailDomain(domain, facts).then((found) => {
      switch (found.kind) {
        case 'exists':
          return DUNNO;
        case 'trouble':
          return troubled(RULE, REJECTED, domain, found.reason);
        case 'null-mx':
          return refused(
            RULE,
            550,
            '5.7.27',
            `${REJECTED}: its domain takes no mail`,
            `${domain} has a null MX`,
          );
        case 'unknown':
          return refused(
            RULE,
            450,
            '4.1.8',
            `${REJECTED}: domain not found`,
            `${domain} has neither MX nor address`,
          );
      }
    });
  },
};
