/** The client's name by EHLO is not its name by the DNS: others call it suspicious. */

import { sameOrganization } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const heloRdns: Sign = {
  id: 'helo-rdns',
  title: 'EHLO and DNS name the client differently',
  strength: 'context',
  rates: { phish: 4.7, easyHam: 53.6, hardHam: 63.2, spam: 54.5 },
  innocent: 'half of all ordinary mail',
  look: ({ route }) => {
    const line = route.boundary?.line;
    const [helo, rdns] = [line?.helo?.text, line?.rdns?.text];
    if (helo === undefined || rdns === undefined || sameOrganization(helo, rdns)) return [];
    return [{ text: `EHLO ${helo}, by the DNS ${rdns}`, quotes: [] }];
  },
};
