/** One label in letters of several scripts that look alike (Unicode Technical Standard 39). */

import { scriptsOf } from '../names/confusables.ts';
import { domainOf, readableDomain } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const mixedScript: Sign = {
  id: 'mixed-script',
  title: 'a domain name of mixed scripts',
  strength: 'strong',
  look: ({ from, replyTo }) =>
    [from.main.address, replyTo.main.address].flatMap((address) => {
      const domain = domainOf(address);
      if (domain === undefined || !domain.includes('xn--')) return [];
      const readable = readableDomain(domain);
      const mixed = readable.split('.').find((label) => scriptsOf(label).length > 1);
      if (mixed === undefined) return [];
      const text = `${mixed} mixes ${scriptsOf(mixed).join(' and ')} letters`;
      return [{ text, quotes: [readable, domain] }];
    }),
};
