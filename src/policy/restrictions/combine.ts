/** Restrictions about other restrictions: a refusal that is only told, or only for now. */

import { after } from '#base/awaitable.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { Check, Verdict } from '../checks/check.ts';
import { DUNNO } from '../checks/check.ts';

/** warn_if_reject: what would refuse goes into the ledger, and the list goes on. */
export function warning(check: Check): Check {
  return wrapped(check, (verdict, { inquiry }) => {
    if (verdict.kind === 'dunno' || verdict.kind === 'permit') return verdict;
    const { rule, why } = verdict;
    inquiry.note({ kind: 'warning', rule, why: `would ${verdict.kind}: ${why}` });
    return DUNNO;
  });
}

/** defer_if_reject: a later refusal for good becomes one for now. */
export function deferring(check: Check): Check {
  return wrapped(check, (verdict) => {
    if (verdict.kind !== 'reject') return verdict;
    const { rule, why, reply: said } = verdict;
    const enhanced = said.enhanced?.replace(/^5/, '4');
    const [first = '', ...more] = said.lines;
    return {
      kind: 'defer',
      rule,
      reply: { ...reply(450, enhanced, first), lines: [first, ...more] },
      why: `${why} (defer_if_reject)`,
    };
  });
}

function wrapped(
  check: Check,
  turn: (verdict: Verdict, facts: Parameters<Check['judge']>[0]) => Verdict,
): Check {
  return {
    ...check,
    judge: (facts) => after(check.judge(facts), (verdict) => turn(verdict, facts)),
  };
}
