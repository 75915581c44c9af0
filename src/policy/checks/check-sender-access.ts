/** check_sender_access: a table of sender addresses, domains and local parts; `<>` is a key, too. */

import { accessCheck } from './access.ts';

export const checkSenderAccess = accessCheck(
  'check_sender_access',
  'sender',
  (table, { sender, addresses }) =>
    sender === null ? table.nullSender() : table.address(sender, addresses.delimiters ?? ''),
);
