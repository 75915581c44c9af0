/** No author: From is not there, or holds no address (RFC 5322 3.6). */

import { firstField } from '#message/fields.ts';
import type { Sign } from '../case.ts';

export const fromMissing: Sign = {
  id: 'from-missing',
  title: 'no address in From',
  strength: 'strong',
  look: ({ specimen, from }) => {
    // Of a head that was cut nobody knows what it does not have.
    if (from.addresses.length > 0 || specimen.headCut) return [];
    const field = firstField(specimen.head, 'from');
    if (field === undefined) return [{ text: 'there is no From field', quotes: [] }];
    return [{ text: 'From holds a name and no address', quotes: [field.value] }];
  },
};
