/** The queue of mail for elsewhere: messages, their recipients and when each is tried next. */

import type { Awaitable, ContentId, Domain, QueueId } from '#base/brand.ts';

/** When to send which notice (RFC 3461 4.1); an empty list is NEVER. */
export type Notify = readonly ('success' | 'failure' | 'delay')[];

/** The parts of an envelope that belong to the whole message. */
export interface Envelope {
  /** Text without angle brackets; empty for the null reverse-path. */
  readonly reversePath: string;
  /** RFC 3461 4.3. */
  readonly ret: 'full' | 'headers' | undefined;
  /** RFC 3461 4.4, decoded from xtext. */
  readonly envelopeId: string | undefined;
  /** RFC 6531: addresses or header fields need it. */
  readonly smtpUtf8: boolean;
  readonly body: '7bit' | '8bitmime' | 'binarymime';
  /** RFC 8689: `required` by REQUIRETLS, `optional` by `TLS-Required: No`; undefined: neither. */
  readonly tls?: 'required' | 'optional' | undefined;
}

export interface QueuedRecipient {
  /** Number within the message, from 1. */
  readonly number: number;
  /** As it will be sent, without angle brackets. */
  readonly address: string;
  readonly domain: Domain;
  /** undefined: the sender said nothing, which is failure and delay. */
  readonly notify: Notify | undefined;
  /** RFC 3461 4.2: `rfc822;...`, decoded from xtext. */
  readonly originalRecipient: string | undefined;
  readonly state: 'waiting' | 'held';
  readonly attempts: number;
  readonly nextMs: number;
  readonly expiresMs: number;
  /** Whether the sender was already told of a delay. */
  readonly delayNotified: boolean;
  /** The last answer or error, for people: `mx.example 450 4.2.1 try later`. */
  readonly lastAnswer: string | undefined;
}

export interface QueuedMessage {
  readonly id: QueueId;
  readonly envelope: Envelope;
  readonly content: ContentId;
  readonly headBytes: number;
  readonly sizeBytes: number;
  readonly acceptedMs: number;
  /** Who submitted it, for people: an account's address, or undefined for relayed mail. */
  readonly submitter: string | undefined;
  readonly recipients: readonly QueuedRecipient[];
}

/** One row that is due. */
export interface DueRecipient {
  readonly id: QueueId;
  readonly number: number;
  readonly domain: Domain;
  readonly nextMs: number;
}

export interface QueueReader {
  /**
   * Waiting rows whose time has come, ordered by nextMs, id, number; with `after`, only those
   * behind it in that order, so that a backlog can be paged through without counting rows twice.
   */
  due(
    nowMs: number,
    limit: number,
    after?: Pick<DueRecipient, 'nextMs' | 'id' | 'number'>,
  ): Awaitable<readonly DueRecipient[]>;
  /** The earliest time of any waiting row. */
  nextDueMs(): Awaitable<number | undefined>;
  message(id: QueueId): Awaitable<QueuedMessage | undefined>;
  /** All messages, oldest first. */
  list(limit: number): Awaitable<readonly QueuedMessage[]>;
  size(): Awaitable<{ readonly messages: number; readonly recipients: number }>;
}
