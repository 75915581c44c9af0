/** What the POP3 machine asks its host, what it may hear, and what it tells. */

import type { Durable } from '#store/durable.ts';
import type { Authenticated } from '../sasl/authenticated.ts';
import type { SaslAnswer, SaslQuestion } from '../sasl/mechanism.ts';

/** The messages of a mailbox as they were at login; indexes from 0 to `count` - 1. */
export interface Maildrop {
  readonly count: number;
  /** The sum of all sizes. */
  readonly totalBytes: number;
  /** As the octets go over the wire, without byte-stuffing (RFC 1939 11). */
  sizeBytes(index: number): number;
  /** Octets up to and with the empty line. */
  headBytes(index: number): number;
  /** The same in every session, 1 to 70 printable characters (RFC 1939 7). */
  uniqueId(index: number): string;
}

export type Pop3Question =
  /** Fresh octets for a SASL nonce. */
  | { readonly kind: 'nonce' }
  | { readonly kind: 'sasl'; readonly question: SaslQuestion }
  /** Lock and list the login's maildrop. */
  | { readonly kind: 'open'; readonly who: Authenticated }
  /** At most `lengthBytes` octets of a message; fewer only at its end. */
  | {
      readonly kind: 'octets';
      readonly index: number;
      readonly from: number;
      readonly lengthBytes: number;
    }
  /** QUIT: remove these messages for good, and no others. */
  | { readonly kind: 'remove'; readonly indexes: readonly number[] };

export type Pop3Answer =
  | { readonly kind: 'nonce'; readonly bytes: Uint8Array }
  | { readonly kind: 'sasl'; readonly answer: SaslAnswer }
  | { readonly kind: 'opened'; readonly maildrop: Maildrop }
  /** Another session holds the lock (RFC 2449 8.1.2). */
  | { readonly kind: 'in-use' }
  | { readonly kind: 'octets'; readonly bytes: Uint8Array }
  /** The only way to +OK after deletions: on disk. */
  | { readonly kind: 'removed'; readonly durable: Durable };

export type Pop3Fact =
  /** The credentials were right; `open` follows. */
  | { readonly kind: 'authenticated'; readonly who: Authenticated }
  | {
      readonly kind: 'login-failed';
      readonly mechanism: string;
      readonly login: string | undefined;
    }
  /** A command came, in upper case; `unknown` for everything that is none. */
  | { readonly kind: 'command'; readonly verb: string }
  /** The peer broke a rule of the protocol: a word for metrics (`bare-lf`, `line-too-long`). */
  | { readonly kind: 'violation'; readonly what: string };
