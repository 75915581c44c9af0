/** check_client_access: a table of client names, domains, addresses and networks. */

import { checkIprev } from '#trust/iprev.ts';
import { isLoopback } from '#base/ip.ts';
import { accessCheck } from './access.ts';

/**
 * A name counts only when it leads back to the address: anybody can write anything into the
 * reverse zone of his own network. It is asked for only if the table has names at all.
 */
export const checkClientAccess = accessCheck('check_client_access', 'sender', (table, facts) => {
  const { address } = facts.client;
  if (!table.hasNames || isLoopback(address)) return table.client(address);
  return checkIprev({ ip: address, resolver: facts.questions }).then(
    ({ name }) => (name === undefined ? undefined : table.domain(name)) ?? table.client(address),
  );
});
