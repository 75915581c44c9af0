/** reject_unknown_recipient_domain: mail for a domain that does not exist would only come back. */

import type { Check } from './check.ts';
import { DUNNO } from './check.ts';
import { type DomainRule, judgeDomain } from './dns.ts';

const RULE: DomainRule = {
  rule: 'reject_unknown_recipient_domain',
  rejected: 'Recipient address rejected',
  // RFC 7505 4.1.
  nullMx: [556, '5.1.10'],
  unknown: [450, '4.1.2'],
};

export const rejectUnknownRecipientDomain: Check = {
  name: RULE.rule,
  needs: 'recipient',
  judge: (facts) =>
    facts.recipient === undefined ? DUNNO : judgeDomain(facts.recipient, facts, RULE),
};
