/** What this ADMD allows at each step of an SMTP session: facts in, a refusal or nothing out. */

import type { Address, ReversePath } from '#base/address.ts';
import type { Awaitable } from '#base/brand.ts';
import type { Secure } from '#base/secure.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import type { Inquiry } from './inquiry.ts';
import type { RelayPermit } from './relay.ts';

export interface ClientFacts {
  readonly address: string;
  readonly helo: string;
  readonly extended: boolean;
  readonly secure: Secure | undefined;
  readonly login: Authenticated | undefined;
  /** Sent commands before it was their turn: ahead of the greeting, or without PIPELINING. */
  readonly impatient?: boolean;
}

/** A decision against the client: the reply it gets, the rule and the whole reason for us. */
export interface Refusal {
  readonly reply: Reply;
  readonly rule: string;
  readonly why: string;
  /** Say it and close. */
  readonly close?: boolean;
}

/** What happens to a whole message that was not refused: kept as junk, or kept from leaving. */
export interface Diversion {
  /** `quarantine`: into Junk instead of INBOX. `hold`: not sent before somebody releases it. */
  readonly kind: 'quarantine' | 'hold';
  readonly rule: string;
  readonly why: string;
}

/** What is said of a message whose content is all there. */
export type ContentVerdict = ({ readonly kind: 'refuse' } & Refusal) | Diversion;

/**
 * Answers are there at once where no check has to ask the DNS. `inquiry` belongs to one
 * transaction (at `connect` and `helo`: to the session) and keeps what was asked.
 */
export interface Gate {
  /** Before the greeting: there is no HELO yet. */
  connect(client: ClientFacts, inquiry: Inquiry): Awaitable<Refusal | undefined>;
  helo(client: ClientFacts, inquiry: Inquiry): Awaitable<Refusal | undefined>;
  sender(
    client: ClientFacts,
    sender: ReversePath,
    inquiry: Inquiry,
  ): Awaitable<Refusal | undefined>;
  recipient(
    client: ClientFacts,
    sender: ReversePath,
    recipient: Address,
    inquiry: Inquiry,
  ): Awaitable<Refusal | RelayPermit>;
  /** After the end of content, with `inquiry.authentication.message` filled where it can be. */
  content(
    client: ClientFacts,
    sender: ReversePath,
    recipients: readonly Address[],
    inquiry: Inquiry,
  ): Awaitable<ContentVerdict | undefined>;
}
