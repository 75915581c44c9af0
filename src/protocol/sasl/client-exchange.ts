/** What a SASL exchange is from the client's side, whatever the mechanism. */

import type { Secret } from '#base/secret.ts';
import type { Secure } from '#base/secure.ts';

export interface SaslCredentials {
  readonly login: string;
  readonly password: Secret<string>;
}

export interface SaslClientContext {
  readonly credentials: SaslCredentials;
  /** PLAIN and LOGIN show the password, so they run only with one. */
  readonly secure: Secure | undefined;
  /** At least 18 fresh octets. */
  readonly nonce: Uint8Array;
}

/** Response to a challenge, or why the client gives up (it sends `*`). */
export type SaslReaction =
  | { readonly kind: 'response'; readonly bytes: Uint8Array }
  | { readonly kind: 'abort'; readonly why: string };

/** One exchange. */
export interface SaslClient {
  readonly mechanism: string;
  /** May be sent along with the command where the protocol allows; undefined: wait. */
  readonly initial: Uint8Array | undefined;
  /** `challenge`: the octets after base64; the initial response, if not sent, answers the first. */
  respond(challenge: Uint8Array): SaslReaction;
  /** After the server said that it succeeded: whether the server proved itself too. */
  readonly proven: boolean;
}
