/** defer_over_rate: more than so many of a network or a login in a while come again later. */

import { Budget } from '../limits/budget.ts';
import { clientNetwork } from '../login/prefix.ts';
import type { CheckMaker } from './check.ts';
import { DUNNO, refused } from './check.ts';

const RULE = 'defer_over_rate';
const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * `defer_over_rate 100/1h`: counts recipients in the recipient list, messages in the others, and
 * only those that come so far: what stands before it in the list is not counted.
 */
export const deferOverRate: CheckMaker = {
  name: RULE,
  needs: 'sender',
  takes: 'a rate',
  make: (argument, { clock }) => {
    const match = /^([1-9]\d{0,8})\/(\d{0,6})([smhd])$/.exec(argument);
    const unitMs = UNITS[match?.[3] ?? ''];
    if (match === null || unitMs === undefined) return 'has no rate; write it as 100/1h or 20/10m';
    const [, units = '', periods = ''] = match;
    const periodMs = unitMs * Math.max(1, Number(periods === '' ? 1 : periods));
    if (clock === undefined) return { name: RULE, needs: 'sender', judge: () => DUNNO };
    const budget = new Budget({ clock, units: Number(units), periodMs });
    return {
      name: RULE,
      needs: 'sender',
      judge: ({ client }) => {
        const { narrow } = clientNetwork(client.address);
        const who = client.login?.address ?? narrow;
        const waitMs = budget.take(who);
        if (waitMs === 0) return DUNNO;
        const why = `${who} is over ${argument}, for another ${Math.ceil(waitMs / 1_000)} s`;
        return refused(RULE, 450, '4.7.1', 'Too much from you, try again later', why);
      },
    };
  },
};
