/** What this ADMD allows at each step of an SMTP session: facts in, a refusal or nothing out. */

import type { Address, ReversePath } from '#base/address.ts';
import type { Secure } from '#base/secure.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import type { RelayPermit } from './relay.ts';

export interface ClientFacts {
  readonly address: string;
  readonly helo: string;
  readonly extended: boolean;
  readonly secure: Secure | undefined;
  readonly login: Authenticated | undefined;
}

/** A decision against the client: the reply it gets, the rule and the whole reason for us. */
export interface Refusal {
  readonly reply: Reply;
  readonly rule: string;
  readonly why: string;
}

export interface Gate {
  helo(client: ClientFacts): Refusal | undefined;
  sender(client: ClientFacts, sender: ReversePath): Refusal | undefined;
  recipient(client: ClientFacts, sender: ReversePath, recipient: Address): Refusal | RelayPermit;
}
