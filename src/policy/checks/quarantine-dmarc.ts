/** quarantine_dmarc: what fails DMARC and whose author's domain asks for it goes into Junk. */

import type { Check } from './check.ts';
import { DUNNO } from './check.ts';

const RULE = 'quarantine_dmarc';

/**
 * Also what the domain wants refused, where `reject_dmarc` does not come first (RFC 9989), and what
 * the DNS has left open for longer than `reject_dmarc` waits.
 */
export const quarantineDmarc: Check = {
  name: RULE,
  needs: 'message',
  judge: ({ inquiry }) => {
    const dmarc = inquiry.authentication.message?.dmarc;
    if (dmarc === undefined) return DUNNO;
    const { result, disposition, atStake, author = 'unknown' } = dmarc;
    const failed = result === 'fail' && disposition !== 'none';
    const open = result === 'temperror' && atStake !== 'none';
    if (!failed && !open) return DUNNO;
    return { kind: 'quarantine', rule: RULE, why: `DMARC of ${author} is ${result}: ${dmarc.why}` };
  },
};
