/** What every service of this host shares: the world, the store, the agents, who we are. */

import type { Address } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import type { Clock, Log, Metrics, Random, Resolver, TlsIdentity } from '#base/world.ts';
import type { Intake } from '#agents/mail.ts';
import type { Evaluation } from '#agents/reports/dmarc/counts.ts';
import type { Signer } from '#agents/sign/signer.ts';
import type { Verifier } from '#agents/verify/verifier.ts';
import type { Logins } from '#policy/login/logins.ts';
import type { Store } from '#store/store.ts';

export interface Site {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: Resolver;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly intake: Intake;
  /** Whether mail for an address leaves this host, now and by itself or by an alias. */
  readonly leaves: (address: Address) => boolean;
  /** Who says whether strangers' mail is from whom it says. */
  readonly verifier: Verifier;
  /** Told of each message that DMARC was evaluated of, for reports; undefined: none are sent. */
  readonly evaluated?: ((evaluation: Evaluation) => void) | undefined;
  /** Signs what leaves in our name. */
  readonly signer: Signer;
  /** This host's name: in greetings, Received, and as the domain of `<postmaster>`. */
  readonly hostname: Domain;
  /** undefined: no TLS here, so no login either. */
  readonly tls: TlsIdentity | undefined;
  readonly handshakeMs: number;
  /** Checks credentials, the same for all protocols, limits by client network inside. */
  readonly logins: Logins;
}
