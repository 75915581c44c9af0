/** reject_rbl_client: a DNS list of bad addresses has the client's (RFC 5782). */

import { refused } from './check.ts';
import { listCheck } from './dns-list.ts';

const RULE = 'reject_rbl_client';

export const rejectRblClient = listCheck(RULE, async ({ answer, name }, zone, facts) => {
  const { address } = facts.client;
  // What the list says of it, for the ledger and whoever asks the operator.
  await facts.questions.txt(name);
  return refused(
    RULE,
    554,
    '5.7.1',
    `Service unavailable: client host [${address}] blocked using ${zone}`,
    `${zone} lists ${address} with ${answer}`,
  );
});
