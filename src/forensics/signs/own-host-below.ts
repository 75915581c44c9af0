/** A line below the boundary says that one of our own hosts wrote it. */

import { matchesHost } from '../names/domains.ts';
import { isTakenFrom } from '../route/route.ts';
import type { Sign } from '../case.ts';

export const ownHostBelow: Sign = {
  id: 'own-host-below',
  title: 'a forged line of one of our hosts',
  strength: 'strong',
  contradiction: true,
  innocent: 'mail that left us, was forwarded, and came back; a host of ours in no --trusted-net',
  look: ({ route, anchors }) =>
    route.hops
      .filter(({ zone, line }) => {
        const by = line.by?.text;
        if (zone !== 'claimed' || by === undefined || !route.anchored) return false;
        return [...anchors.trustedMx, ...anchors.authservIds].some((one) => matchesHost(by, one));
      })
      .slice(0, 10)
      .map((hop) => {
        const quotes = [hop.field.value];
        const text = `line ${hop.number} says by ${hop.line.by?.text ?? ''}, but lies below the boundary`;
        if (!isTakenFrom(route, hop)) return { text, quotes };
        const more = 'the line above it names that host as its client: perhaps it came back to us';
        return { text: `${text}; ${more}`, quotes, strength: 'weak' as const };
      }),
};
