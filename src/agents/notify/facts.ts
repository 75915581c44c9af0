/** What a delivery status notification is made from: plain facts, no store and no clock. */

import type { QueueId } from '#base/brand.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import type { Envelope, Notify, QueuedRecipient } from '#store/queue.ts';

/** The Action of RFC 3464 2.3.3; `expanded` is not used. */
export type NoticeKind = 'failed' | 'delayed' | 'relayed' | 'delivered';

export interface NoticeFacts {
  readonly kind: NoticeKind;
  /** The message that the notice is about; its reverse-path is where the notice goes. */
  readonly mail: {
    readonly id: QueueId;
    readonly envelope: Pick<
      Envelope,
      'reversePath' | 'ret' | 'envelopeId' | 'smtpUtf8' | 'body' | 'tls'
    >;
    readonly acceptedMs: number;
  };
  readonly recipients: readonly NoticeRecipient[];
  readonly original: Original | undefined;
  readonly nowMs: number;
}

export interface NoticeRecipient extends Pick<QueuedRecipient, 'address' | 'originalRecipient'> {
  /** RFC 3463. */
  readonly status: string;
  /** The remote's whole answer, if one was given. */
  readonly reply: Reply | undefined;
  /** `mx.example [192.0.2.1]:25`, as transfer names it. */
  readonly host: string | undefined;
  /** One sentence for people; empty when there is nothing to say. */
  readonly reason: string;
  /** Given up because its time was over, not because somebody refused it. */
  readonly expired: boolean;
  readonly lastAttemptMs: number | undefined;
  /** Of a delay: until when it will be tried. */
  readonly retryUntilMs: number | undefined;
}

/** The octets of the message that is reported on, as far as they are to be returned. */
export interface Original {
  /** With the empty line, unless it is `cut`. */
  readonly head: Uint8Array;
  /** Whether the head was too large to be given whole: its last field may be a piece. */
  readonly cut: boolean;
  /** undefined: only the header goes back. */
  readonly body: Uint8Array | undefined;
}

/** Whether the sender wants a notice of this kind (RFC 3461 4.1, 5.2.2, 5.2.5, 5.2.6). */
export function isWanted(kind: NoticeKind, notify: Notify | undefined): boolean {
  if (kind === 'failed') return notify?.includes('failure') ?? true;
  if (kind === 'delayed') return notify?.includes('delay') ?? true;
  return notify?.includes('success') ?? false;
}
