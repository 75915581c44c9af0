/** More than one From field: one program shows the first, another the last (RFC 5322 3.6). */

import { allFields } from '#message/fields.ts';
import type { Sign } from '../case.ts';

export const fromTwice: Sign = {
  id: 'from-twice',
  title: 'more than one From field',
  strength: 'strong',
  contradiction: true,
  look: ({ specimen }) => {
    const fields = allFields(specimen.head, 'from');
    if (fields.length < 2) return [];
    const quotes = fields.slice(0, 5).map(({ value }) => value);
    return [{ text: `${fields.length} From fields: readers show different ones`, quotes }];
  },
};
