/** Who has a mailbox here: domains, accounts, aliases; read often, changed by command. */

import type { AccountId, Domain } from '#base/brand.ts';

export interface LocalDomain {
  readonly name: Domain;
  /** Address that receives what no other address of the domain takes. */
  readonly catchAll: string | undefined;
}

export interface Account {
  readonly id: AccountId;
  /** `alice@example.org`: the login name and the main address, as an address key. */
  readonly address: string;
  readonly enabled: boolean;
  readonly createdMs: number;
}

/** What a password is kept as; none of it gives the password back. */
export interface Credentials {
  /** PHC string, argon2id. */
  readonly password: string;
  /** SCRAM-SHA-256 (RFC 5802 3, RFC 7677). */
  readonly scram: {
    readonly salt: Uint8Array;
    readonly iterations: number;
    readonly storedKey: Uint8Array;
    readonly serverKey: Uint8Array;
  };
}

export interface Alias {
  /** An address key. */
  readonly address: string;
  /** Addresses, here or elsewhere. */
  readonly targets: readonly string[];
}

/** Synchronous and cached: policy asks it for every recipient. */
export interface Directory {
  domains(): readonly LocalDomain[];
  domain(name: Domain): LocalDomain | undefined;
  accounts(): readonly Account[];
  /** By address key. */
  account(address: string): Account | undefined;
  accountById(id: AccountId): Account | undefined;
  credentials(id: AccountId): Credentials | undefined;
  aliases(): readonly Alias[];
  /** By address key. */
  alias(address: string): Alias | undefined;
}
