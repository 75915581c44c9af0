/** permit_mynetworks: ends the list for clients in the networks that are trusted by address. */

import type { Check } from './check.ts';
import { DUNNO, permitted } from './check.ts';

export const permitMynetworks: Check = {
  name: 'permit_mynetworks',
  needs: 'sender',
  judge: ({ client, inMynetworks }) =>
    inMynetworks ? permitted('permit_mynetworks', `${client.address} is in mynetworks`) : DUNNO,
};
