/** reject_unlisted_recipient: no mailbox, alias or catch-all takes that address here. */

import { formatAddress } from '#base/address.ts';
import { resolve } from '../addresses/resolve.ts';
import type { Check, CheckFacts, Verdict } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'reject_unlisted_recipient';

/** Said in the session, so that no bounce has to be written later to a forged sender. */
export const rejectUnlistedRecipient: Check = {
  name: RULE,
  needs: 'recipient',
  judge: judgeUnlisted,
};

/** The same as a plain function: the gate itself asks it of everyone, and is told at once. */
export function judgeUnlisted({ recipient, directory, addresses }: CheckFacts): Verdict {
  if (recipient === undefined) return DUNNO;
  const address = formatAddress(recipient);
  switch (resolve(recipient, directory, addresses)[0]?.kind) {
    case 'unknown':
      return refused(RULE, 550, '5.1.1', 'No such mailbox here', `${address} leads nowhere`);
    case 'too-many':
      // A mistake of the operator's: the sender keeps the mail until it is mended.
      return refused(
        RULE,
        451,
        '4.3.5',
        'Address expands to too many others, try again later',
        `${address} is an alias that leads to more addresses than are followed`,
      );
    default:
      return DUNNO;
  }
}
