/** The client's address has no name, or one that does not lead back. */

import { isLoopback, isPrivate } from '../names/domains.ts';
import { writesNames } from '../route/route.ts';
import type { Sign } from '../case.ts';

export const noRdns: Sign = {
  id: 'no-rdns',
  title: 'the client has no name in the DNS',
  strength: 'weak',
  rates: { phish: 2.4, easyHam: 7.1, hardHam: 4.4, spam: 18.5 },
  innocent: 'a small host whose provider does not care',
  look: ({ route }) => {
    const line = route.boundary?.line;
    const ip = line?.ip?.text;
    if (line === undefined || ip === undefined || isPrivate(ip) || isLoopback(ip)) return [];
    if (line.oddities.includes('rdns may be forged')) {
      return [
        { text: `the name of ${ip} does not lead back to it`, quotes: [line.rdns?.text ?? ''] },
      ];
    }
    if (line.rdns !== undefined || !writesNames(line)) return [];
    return [{ text: `${ip} has no name`, quotes: [] }];
  },
};
