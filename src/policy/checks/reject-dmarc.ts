/** reject_dmarc: the author's domain asks to refuse what it did not authenticate (RFC 9989). */

import { addressKey } from '#base/address.ts';
import type { DmarcOutcome } from '#trust/dmarc/evaluate.ts';
import { memoryKey } from '../limits/memory.ts';
import type { CheckFacts, CheckMaker, Verdict } from './check.ts';
import { DUNNO, refused } from './check.ts';
import type { Tools } from './tools.ts';

const RULE = 'reject_dmarc';
/** So long an author is asked to come again: a domain whose DNS stays broken loses no mail. */
const WAIT_MS = 14_400_000;

/**
 * An unusable author (none, several) cannot be authenticated by anybody: refused, too. Where the
 * DNS leaves open whether a policy is broken that asks for `reject` or `quarantine`, the client
 * shall come again (RFC 7489 6.6.3), for four hours; then `quarantine_dmarc` has the word.
 */
export const rejectDmarc: CheckMaker = {
  name: RULE,
  needs: 'message',
  takes: undefined,
  make: (_argument, tools) => ({
    name: RULE,
    needs: 'message',
    judge: (facts) => {
      const dmarc = facts.inquiry.authentication.message?.dmarc;
      if (dmarc === undefined) return DUNNO;
      const author = dmarc.author ?? 'unknown';
      const why = `DMARC of ${author} is ${dmarc.result}: ${dmarc.why}`;
      if (dmarc.result === 'temperror') return judgeOpen(dmarc, why, facts, tools);
      if (dmarc.disposition !== 'reject') return DUNNO;
      if (dmarc.result !== 'fail' && dmarc.result !== 'permerror') return DUNNO;
      const text =
        dmarc.result === 'fail'
          ? `Refused by the DMARC policy of ${author}`
          : 'The From field names no author that can be checked';
      return refused(RULE, 550, '5.7.1', text, why);
    },
  }),
};

/** Who wrote, not which client brings it: large senders come again from another network. */
function judgeOpen(
  { author = 'unknown', atStake }: DmarcOutcome,
  why: string,
  { sender }: CheckFacts,
  { open }: Tools,
): Verdict {
  if (atStake === 'none' || open === undefined) return DUNNO;
  const { firstMs, lastMs } = open.see(
    memoryKey('open', author, sender === null ? '' : addressKey(sender)),
  );
  if (lastMs - firstMs >= WAIT_MS) return DUNNO;
  const text = `The DNS leaves open whether this is from ${author}, try again later`;
  return refused(RULE, 451, '4.4.3', text, `${why}; ${atStake} is at stake`);
}
