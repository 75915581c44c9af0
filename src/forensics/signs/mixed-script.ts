/** Labels in letters of scripts that look alike: mixed, or all of one that reads as Latin (UTS 39 4). */

import { latinLook, scriptsOf } from '../names/confusables.ts';
import { domainOf, readableDomain } from '../names/domains.ts';
import type { Seen, Sign } from '../case.ts';

export const mixedScript: Sign = {
  id: 'mixed-script',
  title: 'a domain name of mixed scripts',
  strength: 'strong',
  innocent: 'a word of another script all of whose letters Latin has too (then it is weak)',
  look: ({ from, answersTo }) => {
    const addresses = [from.main.address, ...answersTo];
    const domains = new Set(addresses.map(domainOf));
    return [...domains].flatMap((domain) => {
      if (domain === undefined || !domain.includes('xn--')) return [];
      const readable = readableDomain(domain);
      return readable.split('.').flatMap((label, at, labels): Seen[] => {
        const scripts = scriptsOf(label);
        const quotes = [readable, domain];
        if (scripts.length > 1) {
          return [{ text: `${label} mixes ${scripts.join(' and ')} letters`, quotes }];
        }
        const latin = latinLook(label);
        // A name of one script down to its end is what it seems to be.
        const alone = PLAIN.test(labels.at(-1) ?? '') && at < labels.length - 1;
        if (!alone || scripts[0] === 'Latin' || PLAIN.test(label) || !PLAIN.test(latin)) return [];
        const text = `${label} is written in ${scripts[0] ?? 'other'} letters and reads as ${latin}`;
        return [{ text, quotes, strength: 'weak' }];
      });
    });
  },
};

const PLAIN = /^[a-z0-9-]+$/;
