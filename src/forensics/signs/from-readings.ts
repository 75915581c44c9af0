/** A From field that mail programs read differently: the reader sees one address, checks another. */

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
      const text = `different programs show different authors: ${from.addresses.join(', ')}`;
      return [{ text, quotes }];
    }
    if (author.kind === 'author' || field === undefined) return [];
    return [{ text: `From cannot be read for certain: ${author.why}`, quotes }];
  },
};
