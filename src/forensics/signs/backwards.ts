/** Time runs backwards between two hops, further than their clocks explain. */

import type { Sign } from '../case.ts';

export const backwards: Sign = {
  id: 'backwards',
  title: 'a hop that is older than the one before it',
  strength: 'context',
  rates: { phish: 0.2, easyHam: 15.4, hardHam: 9.6, spam: 16.1 },
  innocent: 'a clock that nobody set',
  look: ({ delays, route }) =>
    delays
      .filter(({ impossible }) => impossible)
      .slice(0, 10)
      .map(({ number, ms, toleranceMs }) => {
        const quotes = route.hops
          .slice(number - 1, number + 1)
          .map(({ line }) => line.dateText ?? '');
        const seconds = Math.round(-ms / 1_000);
        const text = `hop ${number} was ${seconds} s before the one below it; clocks explain ${Math.round(toleranceMs / 1_000)} s`;
        return { text, quotes };
      }),
};
