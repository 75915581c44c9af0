/** reject_rbl_client: a DNS list of bad addresses has the client's (RFC 5782). */

import { isLoopback } from '../restrictions/ip.ts';
import type { CheckMaker } from './check.ts';
import { DUNNO, refused } from './check.ts';
import { askList, parseDnsList } from './dns-list.ts';

const RULE = 'reject_rbl_client';

/** A list that does not answer refuses nobody: mail must not stop because a list has stopped. */
export const rejectRblClient: CheckMaker = {
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
        return askList(list, facts).then(async (listing) => {
          if (listing.kind === 'unlisted') return DUNNO;
          if (listing.kind === 'trouble') {
            facts.inquiry.note({ kind: 'warning', rule: RULE, why: listing.why });
            return DUNNO;
          }
          // What the list says of it, for the ledger and whoever asks the operator.
          await facts.questions.txt(listing.name);
          return refused(
            RULE,
            554,
            '5.7.1',
            `Service unavailable: client host [${address}] blocked using ${list.zone}`,
            `${list.zone} lists ${address} with ${listing.answer}`,
          );
        });
      },
    };
  },
};
