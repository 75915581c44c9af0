/** A domain that can be mistaken for one that the reader knows. */

import { brandOf, likenessOf } from '../names/confusables.ts';
import { everyAddress } from '../input/displayed.ts';
import { domainOf, readableDomain } from '../names/domains.ts';
import type { Case, Seen, Sign } from '../case.ts';

export const lookalike: Sign = {
  id: 'lookalike',
  title: 'a domain that looks like a known one',
  strength: 'strong',
  innocent: 'an organisation that has several similar domains',
  look: (one) => {
    if (one.known.length === 0) return [];
    return [
      ...held('From', one.from.main.address, one),
      ...one.answersTo.flatMap((address) => held('Reply-To', address, one)),
      ...everyAddress(one.specimen.head, 'sender').flatMap((address) => {
        return held('Sender', address, one);
      }),
    ];
  },
};

function held(field: string, address: string | undefined, { known }: Case): Seen[] {
  const domain = domainOf(address);
  if (domain === undefined) return [];
  const readable = readableDomain(domain);
  const like = likenessOf(readable, known);
  if (like === undefined) return [];
  const text = `${field}: ${readable} ${HOW[like.how]} ${like.known}`;
  // Between short names there is no more than a letter: `bbc` and `nbc`.
  const weak = like.how === 'one letter apart' && brandOf(like.known).length < LONG;
  return [{ text, quotes: [domain], ...(weak && { strength: 'weak' as const }) }];
}

const LONG = 5;

const HOW = {
  'looks the same': 'looks the same as',
  'one letter apart': 'is one letter away from',
  'the name with something added': 'has the name of',
} as const;
