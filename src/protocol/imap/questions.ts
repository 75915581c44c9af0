/** What the IMAP machine asks its host, what it may hear, and what it tells. */

import type { Awaitable } from '#base/brand.ts';
import type { Authenticated } from '../sasl/authenticated.ts';
import type { SaslAnswer, SaslQuestion } from '../sasl/mechanism.ts';
import type { Access } from './access.ts';

export type ImapQuestion =
  /** Fresh octets for a SASL nonce. */
  | { readonly kind: 'nonce' }
  | { readonly kind: 'sasl'; readonly question: SaslQuestion }
  /** Work in the store on behalf of a login: the host calls `run` with that account's access. */
  | {
      readonly kind: 'store';
      readonly who: Authenticated;
      readonly run: (access: Access) => Awaitable<unknown>;
    };

export type ImapAnswer =
  | { readonly kind: 'nonce'; readonly bytes: Uint8Array }
  | { readonly kind: 'sasl'; readonly answer: SaslAnswer }
  | { readonly kind: 'stored'; readonly value: unknown };

export type ImapFact =
  | { readonly kind: 'authenticated'; readonly who: Authenticated }
  | {
      readonly kind: 'login-failed';
      readonly mechanism: string;
      readonly login: string | undefined;
    }
  /** A command was answered; `command` has no arguments. */
  | {
      readonly kind: 'completed';
      readonly command: string;
      readonly status: 'OK' | 'NO' | 'BAD';
    }
  /** What the client says it is (RFC 2971), at most 30 pairs. */
  | { readonly kind: 'client'; readonly fields: ReadonlyMap<string, string> }
  /** The peer broke a rule of the protocol: a word for metrics (`bare-lf`, `line-too-long`). */
  | { readonly kind: 'violation'; readonly what: string };
