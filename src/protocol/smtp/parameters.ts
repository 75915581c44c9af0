/** The ESMTP parameters of MAIL and RCPT that Postern knows, already checked and decoded. */

import type { Notify } from '#store/queue.ts';

export interface MailParameters {
  /** RFC 1870: the announced size. */
  readonly sizeBytes: number | undefined;
  /** RFC 6152, RFC 3030. */
  readonly body: '7bit' | '8bitmime' | 'binarymime';
  /** RFC 6531. */
  readonly smtpUtf8: boolean;
  /** RFC 3461 4.3. */
  readonly ret: 'full' | 'headers' | undefined;
  /** RFC 3461 4.4, decoded. */
  readonly envelopeId: string | undefined;
  /** RFC 4954 5: `<>` or an address, decoded; taken and not believed. */
  readonly auth: string | undefined;
  /** RFC 8689 2: never onward without TLS, a good certificate and the same promise. */
  readonly requireTls?: boolean;
}

export interface RcptParameters {
  /** RFC 3461 4.1; undefined: not given; empty: NEVER. */
  readonly notify: Notify | undefined;
  /** RFC 3461 4.2, `type;address`, decoded. */
  readonly originalRecipient: string | undefined;
}
