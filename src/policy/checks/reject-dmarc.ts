/** reject_dmarc: the author's domain asks to refuse what it did not authenticate (RFC 9989). */

import type { Check } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'reject_dmarc';

/**
 * An unusable author (none, several) cannot be authenticated by anybody: refused, too. Trouble with
 * the DNS is the message's way to the mailbox, not its end: a domain whose servers stay broken
 * would lose all of its mail to a 4xx after some days.
 */
export const rejectDmarc: Check = {
  name: RULE,
  needs: 'message',
  judge: ({ inquiry }) => {
    const dmarc = inquiry.authentication.message?.dmarc;
    if (dmarc === undefined) return DUNNO;
    const author = dmarc.author ?? 'unknown';
    const why = `DMARC of ${author} is ${dmarc.result}: ${dmarc.why}`;
    if (dmarc.disposition !== 'reject') return DUNNO;
    if (dmarc.result !== 'fail' && dmarc.result !== 'permerror') return DUNNO;
    const text =
      dmarc.result === 'fail'
        ? `Refused by the DMARC policy of ${author}`
        : 'The From field names no author that can be checked';
    return refused(RULE, 550, '5.7.1', text, why);
  },
};
