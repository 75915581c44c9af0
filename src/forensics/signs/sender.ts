/** A Sender that is not the author (RFC 5322 3.6.2). */

import { firstField } from '#message/fields.ts';
import { displayed } from '../input/displayed.ts';
import { domainOf, sameOrganization } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const sender: Sign = {
  id: 'sender',
  title: 'Sender is of another organisation',
  strength: 'context',
  rates: { phish: 4.7, easyHam: 69.6, hardHam: 6.8, spam: 17.7 },
  innocent: 'mailing lists',
  look: ({ specimen, from }) => {
    const field = firstField(specimen.head, 'sender');
    if (field === undefined) return [];
    const { address } = displayed(specimen.head, 'sender').main;
    const [author, other] = [domainOf(from.main.address), domainOf(address)];
    if (author === undefined || other === undefined || sameOrganization(author, other)) return [];
    return [{ text: `From is of ${author}, Sender of ${other}`, quotes: [field.value] }];
  },
};
