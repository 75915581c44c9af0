/** reject_unknown_sender_domain: nobody could answer to a domain without MX and address. */

import type { Check } from './check.ts';
import { DUNNO } from './check.ts';
import { type DomainRule, judgeDomain } from './dns.ts';

const RULE: DomainRule = {
  rule: 'reject_unknown_sender_domain',
  rejected: 'Sender address rejected',
  // A domain with a null MX says itself that it sends nothing (RFC 7505 4.2).
  nullMx: [550, '5.7.27'],
  unknown: [450, '4.1.8'],
};

export const rejectUnknownSenderDomain: Check = {
  name: RULE.rule,
  needs: 'sender',
  judge: (facts) => (facts.sender === null ? DUNNO : judgeDomain(facts.sender, facts, RULE)),
};
