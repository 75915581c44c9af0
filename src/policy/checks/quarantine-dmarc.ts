/** quarantine_dmarc: what fails DMARC and whose author's domain asks for it goes into Junk. */

import type { Check } from './check.ts';
import { DUNNO } from './check.ts';

const RULE = 'quarantine_dmarc';

/** Also what the domain wants refused, where `reject_dmarc` does not come first (RFC 9989). */
export const quarantineDmarc: Check = {
  name: RULE,
  needs: 'message',
  judge: ({ inquiry }) => {
    const dmarc = inquiry.authentication.message?.dmarc;
    if (dmarc?.result !== 'fail' || dmarc.disposition === 'none') return DUNNO;
    const why = `DMARC of ${dmarc.author ?? 'unknown'} is fail: ${dmarc.why}`;
    return { kind: 'quarantine', rule: RULE, why };
  },
};
