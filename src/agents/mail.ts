/** A mail on its way in: what the one door (intake) takes, whoever brings it. */

import type { Address, ReversePath } from '#base/address.ts';
import type { QueueId, SessionId } from '#base/brand.ts';
import type { JsonObject } from '#base/json.ts';
import type { Diversion } from '#policy/gate.ts';
import type { RelayPermit } from '#policy/relay.ts';
import type { Content } from '#store/content.ts';
import type { Acceptance } from '#store/operations.ts';
import type { Committed } from '#store/durable.ts';
import type { Envelope, Notify } from '#store/queue.ts';
import type { Outline } from './mda.ts';

export interface NewMail {
  readonly id: QueueId;
  readonly origin: 'submission' | 'reception' | 'notice';
  readonly reversePath: ReversePath;
  readonly recipients: readonly NewMailRecipient[];
  /** Complete: trace and repairs are in the head, Return-Path and Delivered-To are not. */
  readonly content: Content;
  /** The same with what only those elsewhere get in front (ARC); undefined: they get the same. */
  readonly passedOn?: Content | undefined;
  /** The structure of `content`, where it was read while the message came in. */
  readonly structure: Outline | undefined;
  /** The Message-ID field without brackets, for the ledger. */
  readonly messageId: string | undefined;
  readonly envelope: Pick<Envelope, 'ret' | 'envelopeId' | 'smtpUtf8' | 'body' | 'tls'>;
  readonly session: SessionId | undefined;
  /** Into Junk, or not sent before it is released; undefined: the usual way. */
  readonly diversion?: Diversion | undefined;
  /** The login's main address, for submitted mail. */
  readonly submitter: string | undefined;
  /** What the ledger should know of how it came in. */
  readonly facts: JsonObject;
}

export interface NewMailRecipient {
  readonly address: Address;
  /** The proof that this server may carry mail to this address. */
  readonly permit: RelayPermit;
  readonly notify: Notify | undefined;
  readonly originalRecipient: string | undefined;
}

export interface Intake {
  /** A fresh queue id. */
  newId(): QueueId;
  /** Resolves recipients, runs the MDA for local ones: ready to be written, nothing written. */
  prepare(mail: NewMail): Acceptance;
  /** `prepare` and commit. Throws a temporary Failure when it is not on disk. */
  accept(mail: NewMail): Promise<Committed<unknown>>;
}
