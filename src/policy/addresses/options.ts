/** What the address rules of one installation need to be told, with defaults. */

import type { Domain } from '#base/brand.ts';

export interface AddressOptions {
  /** Characters that begin a subaddress (RFC 5233), the first one found counts; '': none. */
  readonly delimiters: string;
  /** Whether an address literal is this host's own: `[192.0.2.1]`. */
  readonly isOwnLiteral: (domain: Domain) => boolean;
  /** The domain that a literal of this host stands for; undefined: the first domain. */
  readonly defaultDomain: Domain | undefined;
  /**
   * Gets what comes for postmaster@ and abuse@ of every domain that does not name its own: any
   * address, here or elsewhere; undefined: the first account of the domain, else the first one.
   */
  readonly postmaster: string | undefined;
  /** Addresses looked at for one recipient: bounds the depth and the fan-out of aliases. */
  readonly maxAddresses: number;
}

export const ADDRESS_OPTIONS: AddressOptions = {
  delimiters: '+',
  isOwnLiteral: () => false,
  defaultDomain: undefined,
  postmaster: undefined,
  maxAddresses: 1_000,
};
