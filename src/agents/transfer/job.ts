/** What the queue hands to transfer, and what comes back: one result for each recipient. */

import type { Awaitable, Domain, QueueId } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import type { Envelope, QueuedRecipient } from '#store/queue.ts';

/** One message for some recipients of one destination domain. */
export interface TransferJob {
  readonly id: QueueId;
  readonly envelope: Envelope;
  readonly domain: Domain;
  readonly recipients: readonly Pick<
    QueuedRecipient,
    'number' | 'address' | 'notify' | 'originalRecipient'
  >[];
  readonly sizeBytes: number;
  /** Octets of the message as stored, CRLF line ends; fewer only at the end. */
  readonly read: (from: number, lengthBytes: number) => Awaitable<Uint8Array>;
}

export type RecipientResult =
  | {
      readonly number: number;
      readonly kind: 'delivered';
      /** The remote's final answer. */
      readonly reply: Reply;
      /** `mx.example [192.0.2.1]:25`. */
      readonly host: string;
      /** The next host took over the duty to notify (RFC 3461 5.2.2 against 5.2.3 relayed). */
      readonly dsnPassedOn: boolean;
    }
  | {
      readonly number: number;
      /** `failed`: permanent, a DSN follows. `deferred`: try again later. */
      readonly kind: 'failed' | 'deferred';
      /** The remote's whole answer, if one was given. */
      readonly reply: Reply | undefined;
      /** RFC 3463 status for the DSN: the remote's, or ours (`5.4.4` no route). */
      readonly status: string;
      readonly host: string | undefined;
      /** One sentence for people. */
      readonly reason: string;
    };

export interface TransferResult {
  /** Exactly one for each recipient of the job. */
  readonly recipients: readonly RecipientResult[];
  /** For the ledger: DNS answers, hosts tried in order, TLS, replies. */
  readonly facts: JsonObject;
}

export interface Transfer {
  /** Never rejects: every failure of the world is a result. */
  send(job: TransferJob): Promise<TransferResult>;
  /** Ends kept connections (shutdown). */
  close(): Promise<void>;
}
