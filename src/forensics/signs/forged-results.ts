/** Authentication-Results that claim to be ours and stand where anybody may have put them. */

import { matchesHost } from '../names/domains.ts';
import { isTakenFrom } from '../route/route.ts';
import type { Sign } from '../case.ts';

export const forgedResults: Sign = {
  id: 'forged-results',
  title: 'forged Authentication-Results with a trusted id',
  strength: 'strong',
  contradiction: true,
  innocent: 'a filter of ours that puts its field below the Received line (some milters do)',
  look: ({ authentication, route, anchors }) =>
    authentication.fields
      .filter(({ standing }) => standing === 'forged')
      .slice(0, 10)
      .map(({ field }) => {
        const text = 'has our id, stands below the boundary: not believed';
        const quotes = [field.value];
        // Mail that left us has what we wrote on its way out, when it comes back.
        const below = route.hops.find((hop) => hop.field.start > field.start);
        const by = below?.line.by?.text ?? '';
        const own = [...anchors.trustedMx, ...anchors.authservIds];
        const back =
          below !== undefined &&
          own.some((one) => matchesHost(by, one)) &&
          isTakenFrom(route, below);
        return { text, quotes, ...(back && { strength: 'weak' as const }) };
      }),
};
