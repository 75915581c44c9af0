/** permit_dnswl_client: ends the list for clients on a DNS list of good addresses (RFC 5782). */

import { isLoopback } from '../restrictions/ip.ts';
import type { CheckMaker } from './check.ts';
import { DUNNO, permitted } from './check.ts';
import { askList, parseDnsList } from './dns-list.ts';

const RULE = 'permit_dnswl_client';

export const permitDnswlClient: CheckMaker = {
  name: RULE,
  needs: 'sender',
  takes: 'a zone',
  make: (argument) => {
    const list = parseDnsList(argument);
    if (typeof list === 'string') return list;
    return {
      name: RULE,
      needs: 'sender',
      judge: (facts) => {
        const { address } = facts.client;
        if (isLoopback(address)) return DUNNO;
        return askList(list, facts).then((listing) => {
          if (listing.kind === 'listed') {
            return permitted(RULE, `${list.zone} lists ${address} with ${listing.answer}`);
          }
          if (listing.kind === 'trouble') {
            facts.inquiry.note({ kind: 'warning', rule: RULE, why: listing.why });
          }
          return DUNNO;
        });
      },
    };
  },
};
