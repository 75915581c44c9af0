/** Jobs on their way to the writer's thread: one list of plain values, and all octets in one buffer. */

import type { Content, MessageFacts } from '#store/content.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type {
  Acceptance,
  AppendedMessage,
  Delivery,
  OperationName,
  Operations,
  Relay,
} from '#store/operations.ts';
import { writtenEntry } from '../steps/ledger.ts';
import type { Job, PackedJobs } from './message.ts';

/** Objects would cross with the name of each property, and cost more than the message. */
export function packJobs(jobs: readonly Job[]): PackedJobs {
  let bytes = 0;
  for (const { operation, input } of jobs) bytes += operationBytes(operation, input);
  const packer = new Packer(bytes);
  for (const job of jobs) packer.job(job);
  return packer;
}

/** How many octets an operation brings along. */
export function operationBytes(operation: OperationName, input: unknown): number {
  switch (operation) {
    case 'accept':
      return acceptanceBytes((input as Operations['accept']['input']).acceptance);
    case 'append':
      return sum((input as Operations['append']['input']).messages, messageBytes);
    case 'settle':
      return sum((input as Operations['settle']['input']).notices, acceptanceBytes);
    default:
      return 0;
  }
}

function acceptanceBytes(acceptance: Acceptance): number {
  const relay = acceptance.relay === undefined ? 0 : contentBytes(acceptance.relay.content);
  return relay + sum(acceptance.deliveries, messageBytes);
}

function messageBytes({ content, facts }: Delivery | AppendedMessage): number {
  return contentBytes(content) + facts.envelope.length + facts.bodyStructure.length;
}

function contentBytes({ head, body }: Content): number {
  return head.length + (body instanceof Uint8Array ? body.length : 0);
}

function sum<T>(items: readonly T[], bytes: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += bytes(item);
  return total;
}

/** Fills both from the front; a content or facts that were packed before are their number. */
class Packer implements PackedJobs {
  readonly values: unknown[] = [];
  readonly octets: Uint8Array<ArrayBuffer>;
  readonly #contents = new Map<Uint8Array, { body: Content['body']; number: number }>();
  readonly #facts = new Map<MessageFacts, number>();
  #contentCount = 0;
  #used = 0;

  constructor(bytes: number) {
    this.octets = new Uint8Array(bytes);
  }

  job({ ticket, operation, input }: Job): void {
    this.values.push(ticket, operation);
    switch (operation) {
      case 'accept':
        this.#acceptance((input as Operations['accept']['input']).acceptance);
        return;
      case 'append': {
        const { mailbox, messages } = input as Operations['append']['input'];
        this.values.push(mailbox, messages.length);
        for (const message of messages) this.#message(message);
        return;
      }
      case 'settle': {
        const { id, settlements, notices, ledger } = input as Operations['settle']['input'];
        this.values.push(id, settlements, notices.length);
        for (const notice of notices) this.#acceptance(notice);
        this.#ledger(ledger);
        return;
      }
      default:
        this.values.push(input);
    }
  }

  #acceptance({ id, atMs, deliveries, relay, ledger }: Acceptance): void {
    this.values.push(id, atMs, deliveries.length);
    for (const delivery of deliveries) {
      this.values.push(delivery.account, delivery.mailbox);
      this.#message(delivery);
    }
    this.values.push(relay !== undefined);
    if (relay !== undefined) this.#relay(relay);
    this.#ledger(ledger);
  }

  #message({ flags, internalDateMs, content, facts }: Delivery | AppendedMessage): void {
    this.#list(flags);
    this.values.push(internalDateMs);
    this.#content(content);
    this.#factsOf(facts);
  }

  #relay({ envelope, content, submitter, recipients }: Relay): void {
    this.values.push(
      envelope.reversePath,
      envelope.ret,
      envelope.envelopeId,
      envelope.smtpUtf8,
      envelope.body,
      envelope.tls,
    );
    this.#content(content);
    this.values.push(submitter, recipients.length);
    for (const { address, domain, notify, originalRecipient, nextMs, ...rest } of recipients) {
      const { expiresMs, held } = rest;
      this.values.push(address, domain, notify, originalRecipient, nextMs, expiresMs, held);
    }
  }

  #ledger(entries: readonly LedgerEntry[]): void {
    this.values.push(entries.length);
    for (const entry of entries) {
      const { atMs, kind, session, queueId, keys, facts } = writtenEntry(entry);
      this.values.push(atMs, kind, session, queueId, keys, facts);
    }
  }

  #content({ head, body }: Content): void {
    const known = this.#contents.get(head);
    if (known !== undefined && known.body === body) {
      this.values.push(known.number);
      return;
    }
    this.values.push(this.#contentCount);
    this.#contents.set(head, { body, number: this.#contentCount });
    this.#contentCount += 1;
    this.#bytes(head);
    if (body instanceof Uint8Array) this.#bytes(body);
    else this.values.push(body);
  }

  #factsOf(facts: MessageFacts): void {
    const known = this.#facts.get(facts);
    this.values.push(known ?? this.#facts.size);
    if (known !== undefined) return;
    this.#facts.set(facts, this.#facts.size);
    this.#bytes(facts.envelope);
    this.#bytes(facts.bodyStructure);
    const { parts, sentMs, messageId, subject, from, to, cc, bcc } = facts;
    this.values.push(parts, sentMs, messageId, subject, from, to, cc, bcc);
    this.#list(facts.references);
  }

  #list(texts: readonly string[]): void {
    this.values.push(texts.length, ...texts);
  }

  /** Their number; they lie behind those before. */
  #bytes(bytes: Uint8Array): void {
    this.octets.set(bytes, this.#used);
    this.#used += bytes.length;
    this.values.push(bytes.length);
  }
}
