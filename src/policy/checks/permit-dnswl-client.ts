/** permit_dnswl_client: ends the list for clients on a DNS list of good addresses (RFC 5782). */

import { permitted } from './check.ts';
import { listCheck } from './dns-list.ts';

const RULE = 'permit_dnswl_client';

export const permitDnswlClient = listCheck(RULE, ({ answer }, zone, { client }) =>
  permitted(RULE, `${zone} lists ${client.address} with ${answer}`),
);
