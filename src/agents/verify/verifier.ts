/** Whose mail is verified: strangers' on port 25, not that of our own networks and users. */

import type { ReversePath } from '#base/address.ts';
import type { ClientFacts } from '#policy/gate.ts';
import type { Networks } from '#policy/restrictions/networks.ts';
import { SenderVerification, type VerifyOptions } from './transaction.ts';

/** At MAIL: who verifies this transaction; undefined where nobody does and nobody asks the DNS. */
export type Verifier = (client: ClientFacts, path: ReversePath) => SenderVerification | undefined;

/** `exempt`: clients that are our own, or that verify for us. */
export function makeVerifier(options: VerifyOptions & { readonly exempt: Networks }): Verifier {
  return (client, path) =>
    client.login !== undefined || options.exempt.includes(client.address)
      ? undefined
      : new SenderVerification(options, client, path);
}

/** For the demo, and where the settings say so. */
export const VERIFY_NOBODY: Verifier = () => undefined;
