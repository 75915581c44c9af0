/** A hop that took more than an hour: others call it suspicious. */

import type { Sign } from '../case.ts';

const HOUR_MS = 3_600_000;

export const slowHop: Sign = {
  id: 'slow-hop',
  title: 'a hop that took more than an hour',
  strength: 'dropped',
  rates: { phish: 3.6, easyHam: 63.5, hardHam: 22.8, spam: 47.3 },
  innocent: 'greylisting, a queue, a mailing list: two thirds of ordinary mail had one',
  look: ({ delays }) =>
    delays
      .filter(({ ms }) => ms > HOUR_MS)
      .slice(0, 10)
      .map(({ number, ms }) => {
        return { text: `hop ${number} took ${Math.round(ms / 60_000)} minutes`, quotes: [] };
      }),
};
