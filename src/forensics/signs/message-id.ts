/** The Message-ID was made by another organisation, or there is none. */

import { firstField } from '#message/fields.ts';
import { parseMessageId } from '#message/ids.ts';
import { domainOf, sameOrganization } from '../names/domains.ts';
import type { Sign } from '../case.ts';

export const messageId: Sign = {
  id: 'message-id',
  title: 'Message-ID is of another organisation',
  strength: 'context',
  rates: { phish: 60, easyHam: 51.2, hardHam: 64, spam: 78.3 },
  innocent: 'every second ordinary message: nothing binds it to From (RFC 5322 3.6.4)',
  look: ({ specimen, from }) => {
    const field = firstField(specimen.head, 'message-id');
    if (field === undefined && specimen.headCut) return [];
    const author = domainOf(from.main.address);
    if (field === undefined) return [{ text: 'there is no Message-ID', quotes: [] }];
    const domain = domainOf(parseMessageId(field.value));
    if (author === undefined || domain === undefined || sameOrganization(author, domain)) return [];
    return [{ text: `From is of ${author}, Message-ID of ${domain}`, quotes: [field.value] }];
  },
};
