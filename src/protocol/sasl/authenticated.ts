/** The proof that a login was verified: nobody is a user without one. */

import type { AccountId } from '#base/brand.ts';

/** Made only by SASL mechanisms after the credentials were verified (a law test checks). */
export class Authenticated {
  readonly #account: AccountId;
  readonly #address: string;
  readonly #mechanism: string;

  private constructor(account: AccountId, address: string, mechanism: string) {
    this.#account = account;
    this.#address = address;
    this.#mechanism = mechanism;
  }

  static verified(
    identity: { readonly account: AccountId; readonly address: string },
    mechanism: string,
  ): Authenticated {
    return new Authenticated(identity.account, identity.address, mechanism);
  }

  get account(): AccountId {
    return this.#account;
  }

  /** The account's main address. */
  get address(): string {
    return this.#address;
  }

  get mechanism(): string {
    return this.#mechanism;
  }
}
