/** A From field that mail programs read differently: the reader sees one address, checks another. */

import { comparable, listed } from '../input/displayed.ts';
import { firstField } from '#message/fields.ts';
import type { Sign } from '../case.ts';

export const fromReadings: Sign = {
  id: 'from-readings',
  title: 'the author depends on who reads',
  strength: 'strong',
  contradiction: true,
  rates: { phish: 20.3, easyHam: 0, hardHam: 0, spam: 0.2 },
  innocent: 'a program that does not quote commas in names',
  look: ({ specimen, from, authentication }) => {
    const field = firstField(specimen.head, 'from');
    const quotes = field === undefined ? [] : [field.value];
    const { author } = authentication;
    if (from.addresses.length > 1) {
      // A list by the grammar, all of one domain: several authors, and no doubt about any.
      const authors = author.kind === 'author' ? listed(specimen.head, 'from') : [];
      if (from.addresses.every((one) => authors.includes(comparable(one)))) return [];
      const text = `different programs show different authors: ${from.addresses.join(', ')}`;
      return [{ text, quotes }];
    }
    if (author.kind === 'author' || field === undefined) return [];
    // Nobody at all is another sign: an empty group (RFC 6854) can be read for certain.
    if (author.why === 'no address in From') return [];
    return [{ text: `From cannot be read for certain: ${author.why}`, quotes }];
  },
};
