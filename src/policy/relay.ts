/** The one place that decides whether this server carries mail to an address: RelayPermit. */

import type { Address } from '#base/address.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Directory } from '#store/directory.ts';

/** Why a recipient is allowed. */
export type RelayReason = 'local-domain' | 'authenticated' | 'mynetworks' | 'own-notice';

/** The proof that relaying to one recipient was allowed; only this file can make one. */
export class RelayPermit {
  readonly #reason: RelayReason;

  private constructor(reason: RelayReason) {
    this.#reason = reason;
  }

  get reason(): RelayReason {
    return this.#reason;
  }

  /** A permit, or undefined: then the answer is 550 5.7.1 (RFC 5321 7.9). */
  static decide(facts: RelayFacts): RelayPermit | undefined {
    if (facts.directory.domain(facts.recipient.domain) !== undefined) {
      return new RelayPermit('local-domain');
    }
    if (facts.isOwnLiteral(facts.recipient)) return new RelayPermit('local-domain');
    if (facts.login !== undefined) return new RelayPermit('authenticated');
    if (facts.clientInMynetworks) return new RelayPermit('mynetworks');
    return undefined;
  }

  /** For delivery notices that this server itself writes: to the sender of accepted mail. */
  static ownNotice(): RelayPermit {
    return new RelayPermit('own-notice');
  }
}

export interface RelayFacts {
  readonly recipient: Address;
  readonly directory: Directory;
  readonly login: Authenticated | undefined;
  /** Only when the listener and the configuration trust the client's network. */
  readonly clientInMynetworks: boolean;
  /** Whether the recipient's domain is an address literal of this host. */
  readonly isOwnLiteral: (recipient: Address) => boolean;
}
