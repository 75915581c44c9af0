/** Authentication-Results that claim to be ours and stand where anybody may have put them. */

import type { Sign } from '../case.ts';

export const forgedResults: Sign = {
  id: 'forged-results',
  title: 'forged Authentication-Results with a trusted id',
  strength: 'strong',
  contradiction: true,
  innocent: 'a filter of ours that puts its field below the Received line (some milters do)',
  look: ({ authentication }) =>
    authentication.fields
      .filter(({ standing }) => standing === 'forged')
      .slice(0, 10)
      .map(({ field }) => {
        return {
          text: 'has our id, stands below the boundary: not believed',
          quotes: [field.value],
        };
      }),
};
