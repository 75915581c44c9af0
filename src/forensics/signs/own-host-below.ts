/** A line below the boundary says that one of our own hosts wrote it. */

import { matchesHost } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const ownHostBelow: Sign = {
  id: 'own-host-below',
  title: 'a forged line of one of our hosts',
  strength: 'strong',
  contradiction: true,
  innocent: 'mail that left us, was forwarded, and came back',
  look: ({ route, anchors }) =>
    route.hops
      .filter(({ zone, line }) => {
        const by = line.by?.text;
        if (zone !== 'claimed' || by === undefined || !route.anchored) return false;
        return [...anchors.trustedMx, ...anchors.authservIds].some((one) => matchesHost(by, one));
      })
      .slice(0, 10)
      .map(({ number, line, field }) => ({
        text: `line ${number} says by ${line.by?.text ?? ''}, but lies below the boundary`,
        quotes: [field.value],
      })),
};
