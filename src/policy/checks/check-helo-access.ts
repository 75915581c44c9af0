/** check_helo_access: a table of the names that clients give in HELO and EHLO. */

import { accessCheck } from './access.ts';

export const checkHeloAccess = accessCheck('check_helo_access', 'sender', (table, { client }) =>
  table.domain(client.helo),
);
