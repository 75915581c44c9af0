/** Whose address a sender address is: a login may write only as itself. */

import type { Address } from '#base/address.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { AddressOptions } from './options.ts';
import { resolve } from './resolve.ts';
import type { AddressBook } from './resolve.ts';

/**
 * Whether mail for `address` reaches the login's own mailbox: its main address, with or without
 * a subaddress, aliases that lead to it, and the addresses that a catch-all gives it. Whoever
 * reads what is answered may also write. Addresses of other domains are nobody's here.
 */
export function ownsSender(
  login: Authenticated,
  address: Address,
  directory: AddressBook,
  options: Partial<AddressOptions> = {},
): boolean {
  return resolve(address, directory, options).some(
    (target) => target.kind === 'local' && target.account.id === login.account,
  );
}

/** Whether the address belongs to any account here, so that only a login may write as it. */
export function isOwnedSender(
  address: Address,
  directory: AddressBook,
  options: Partial<AddressOptions> = {},
): boolean {
  return resolve(address, directory, options).some((target) => target.kind === 'local');
}
