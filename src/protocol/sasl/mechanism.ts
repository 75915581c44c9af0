/** A SASL mechanism, server side: a generator that yields challenges and questions (RFC 4422). */

import type { AccountId } from '#base/brand.ts';
import type { Secret } from '#base/secret.ts';
import type { Secure } from '#base/secure.ts';
import type { Authenticated } from './authenticated.ts';

/** What a mechanism must ask the outside. Unknown logins are answered in the same time. */
export type SaslQuestion =
  | { readonly kind: 'password'; readonly login: string; readonly password: Secret<string> }
  /** Keys of an unknown login are made up, the same ones each time (RFC 5802 9). */
  | { readonly kind: 'scram'; readonly login: string };

export type SaslAnswer =
  | { readonly kind: 'password'; readonly identity: Identity | undefined }
  | {
      readonly kind: 'scram';
      readonly identity: Identity | undefined;
      readonly salt: Uint8Array;
      readonly iterations: number;
      readonly storedKey: Uint8Array;
      readonly serverKey: Uint8Array;
    };

/** Whose credentials they were. */
export interface Identity {
  readonly account: AccountId;
  /** The account's main address. */
  readonly address: string;
}

export type SaslStep =
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  | { readonly kind: 'ask'; readonly question: SaslQuestion };

export type SaslInput =
  | { readonly kind: 'response'; readonly bytes: Uint8Array }
  | { readonly kind: 'answer'; readonly answer: SaslAnswer };

export type SaslOutcome =
  | {
      readonly kind: 'authenticated';
      readonly who: Authenticated;
      /** Goes along with the success where the protocol can carry it, else as a last challenge. */
      readonly final: Uint8Array | undefined;
    }
  | {
      readonly kind: 'rejected';
      readonly login: string | undefined;
      /** A last challenge that says why (SCRAM's `e=`); the exchange has failed all the same. */
      readonly final?: Uint8Array;
    }
  | { readonly kind: 'malformed'; readonly why: string };

export interface SaslContext {
  /** The TLS that protects the exchange: without one no mechanism runs. */
  readonly secure: Secure;
  /** Fresh octets for a nonce, drawn from the world before the exchange. */
  readonly nonce: Uint8Array;
  /** What was announced: SCRAM must know whether -PLUS was; undefined: all that is available. */
  readonly offered?: readonly string[];
}

export interface Mechanism {
  /** As it is announced: `PLAIN`, `SCRAM-SHA-256-PLUS`. */
  readonly name: string;
  /** Announced in descending order: the stronger first, LOGIN after PLAIN. */
  readonly preference: number;
  /** Whether this TLS connection can carry it (channel binding). */
  available(secure: Secure): boolean;
  /** `initial` is the initial response, decoded; undefined when none was sent. */
  exchange(
    context: SaslContext,
    initial: Uint8Array | undefined,
  ): Generator<SaslStep, SaslOutcome, SaslInput>;
}
