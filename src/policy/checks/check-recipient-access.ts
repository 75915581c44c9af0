/** check_recipient_access: a table of recipient addresses, domains and local parts. */

import { accessCheck } from './access.ts';

export const checkRecipientAccess = accessCheck(
  'check_recipient_access',
  'recipient',
  (table, { recipient, addresses }) =>
    recipient === undefined ? undefined : table.address(recipient, addresses.delimiters ?? ''),
);
