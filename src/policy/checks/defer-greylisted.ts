/** defer_greylisted: who is not known yet shall come again in a few minutes (RFC 6647). */

import { addressKey } from '#base/address.ts';
import { resolve } from '../addresses/resolve.ts';
import { writtenKey } from '../limits/account-limits.ts';
import { clientNetwork } from '../login/prefix.ts';
import type { CheckFacts, CheckMaker } from './check.ts';
import { DUNNO, refused } from './check.ts';
import type { Tools } from './tools.ts';

const RULE = 'defer_greylisted';
const SECOND_MS = 1_000;

/** Whoever the recipient has written to is expected, and so does not wait. */
export const deferGreylisted: CheckMaker = {
  name: RULE,
  needs: 'recipient',
  takes: undefined,
  make: (_argument, tools) => ({
    name: RULE,
    needs: 'recipient',
    judge: (facts) => {
      const { client, sender, recipient } = facts;
      const { greylist } = tools;
      if (greylist === undefined || recipient === undefined || isExpected(facts, tools)) {
        return DUNNO;
      }
      const triplet = {
        network: clientNetwork(client.address).narrow,
        sender: sender === null ? '' : addressKey(sender),
        recipient: addressKey(recipient),
      };
      const waitMs = greylist.waitMs(triplet);
      if (waitMs === 0) return DUNNO;
      const seconds = Math.ceil(waitMs / SECOND_MS);
      const who = `${triplet.network} <${triplet.sender}> to <${triplet.recipient}>`;
      const why = `${who} is not known yet, it passes in ${seconds} s`;
      return refused(RULE, 450, '4.7.1', `Greylisted, try again in ${seconds} seconds`, why);
    },
  }),
};

function isExpected(facts: CheckFacts, { written }: Tools): boolean {
  const { sender, recipient, directory, addresses } = facts;
  if (sender === null || recipient === undefined || written === undefined) return false;
  return resolve(recipient, directory, addresses).some(
    (target) =>
      target.kind === 'local' &&
      written.find(writtenKey(target.account.address, addressKey(sender))) !== undefined,
  );
}
