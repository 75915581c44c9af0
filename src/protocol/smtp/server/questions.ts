/** What the SMTP server machine asks its host, what it may hear, and what it tells. */

import type { Address, ReversePath } from '#base/address.ts';
import type { QueueId } from '#base/brand.ts';
import type { Durable } from '#store/durable.ts';
import type { Authenticated } from '../../sasl/authenticated.ts';
import type { SaslAnswer, SaslQuestion } from '../../sasl/mechanism.ts';
import type { MailParameters, RcptParameters } from '../parameters.ts';
import type { Reply } from '../reply.ts';

export type SmtpQuestion =
  /** A client is there: may it talk? Asked before the greeting. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'helo'; readonly name: string; readonly extended: boolean }
  | {
      readonly kind: 'mail';
      readonly reversePath: ReversePath;
      readonly parameters: MailParameters;
    }
  /** `forwardPath` of the bare `<postmaster>` has this host's domain put in by the machine. */
  | {
      readonly kind: 'rcpt';
      readonly forwardPath: Address;
      readonly parameters: RcptParameters;
    }
  /** DATA or the first BDAT: may content come? From here `body` actions follow. */
  | { readonly kind: 'data' }
  /** All octets were handed over: decide, commit, answer `accepted` or `refuse`. */
  | { readonly kind: 'content-end' }
  | { readonly kind: 'verify'; readonly command: 'VRFY' | 'EXPN'; readonly text: string }
  | { readonly kind: 'sasl'; readonly question: SaslQuestion };

export type SmtpAnswer =
  /** Go on, with the machine's own positive reply or with this one. */
  | { readonly kind: 'proceed'; readonly reply?: Reply }
  /** `close`: say it and close (521, 421). */
  | { readonly kind: 'refuse'; readonly reply: Reply; readonly close?: boolean }
  /** The only way to a 250 after content: on disk. LMTP: one reply a recipient, in order. */
  | {
      readonly kind: 'accepted';
      readonly durable: Durable;
      readonly id: QueueId;
      readonly perRecipient?: readonly Reply[];
    }
  | { readonly kind: 'sasl'; readonly answer: SaslAnswer };

export type SmtpFact =
  /** The transaction is over without content: RSET, EHLO, MAIL refused later, close. */
  | { readonly kind: 'transaction-dropped' }
  /** A reply went out: for the ledger. `command` has its arguments, AUTH has none. */
  | { readonly kind: 'replied'; readonly command: string; readonly reply: Reply }
  | { readonly kind: 'authenticated'; readonly who: Authenticated }
  | {
      readonly kind: 'login-failed';
      readonly mechanism: string;
      readonly login: string | undefined;
    }
  /** The peer broke a rule of the protocol: a word for metrics (`bare-lf`, `line-too-long`). */
  | { readonly kind: 'violation'; readonly what: string };
