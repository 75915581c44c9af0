/** Octets of a batch moved into one buffer, which crosses to the writer's thread without a copy. */

import type { Content, MessageFacts } from '#store/content.ts';
import type {
  Acceptance,
  AppendedMessage,
  Delivery,
  OperationName,
  Operations,
  Relay,
} from '#store/operations.ts';
import type { Job } from './message.ts';

/**
 * A view that is posted as it is takes the whole buffer below it along, often 64 KiB for one
 * line. Here head and body of a message come to lie side by side, as the database wants them.
 */
export function packJobs(jobs: readonly Job[]): { jobs: readonly Job[]; transfer: ArrayBuffer[] } {
  let bytes = 0;
  for (const job of jobs) bytes += operationBytes(job.operation, job.input);
  if (bytes === 0) return { jobs, transfer: [] };
  const slab = new Slab(bytes);
  return { jobs: jobs.map((job) => packJob(slab, job)), transfer: [slab.buffer] };
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

function packJob(slab: Slab, job: Job): Job {
  switch (job.operation) {
    case 'accept': {
      const { acceptance } = job.input as Operations['accept']['input'];
      return { ...job, input: { acceptance: packAcceptance(slab, acceptance) } };
    }
    case 'append': {
      const input = job.input as Operations['append']['input'];
      const messages = input.messages.map((message) => packMessage(slab, message));
      return { ...job, input: { ...input, messages } };
    }
    case 'settle': {
      const input = job.input as Operations['settle']['input'];
      const notices = input.notices.map((notice) => packAcceptance(slab, notice));
      return { ...job, input: { ...input, notices } };
    }
    default:
      return job;
  }
}

function packAcceptance(slab: Slab, acceptance: Acceptance): Acceptance {
  const deliveries = acceptance.deliveries.map((delivery) => packMessage(slab, delivery));
  return { ...acceptance, deliveries, relay: packRelay(slab, acceptance.relay) };
}

function packRelay(slab: Slab, relay: Relay | undefined): Relay | undefined {
  return relay === undefined ? undefined : { ...relay, content: slab.content(relay.content) };
}

function packMessage<T extends Delivery | AppendedMessage>(slab: Slab, message: T): T {
  const content = slab.content(message.content);
  return { ...message, content, facts: slab.facts(message.facts) };
}

/** One buffer that is filled from the front; what was packed before is not packed again. */
class Slab {
  readonly buffer: ArrayBuffer;
  readonly #bytes: Uint8Array;
  readonly #contents = new Map<Uint8Array, { body: Content['body']; packed: Content }>();
  readonly #facts = new Map<MessageFacts, MessageFacts>();
  #used = 0;

  constructor(bytes: number) {
    this.buffer = new ArrayBuffer(bytes);
    this.#bytes = new Uint8Array(this.buffer);
  }

  content({ head, body }: Content): Content {
    const known = this.#contents.get(head);
    if (known !== undefined && known.body === body) return known.packed;
    const first = this.#copy(head);
    const packed = { head: first, body: body instanceof Uint8Array ? this.#copy(body) : body };
    this.#contents.set(head, { body, packed });
    return packed;
  }

  facts(facts: MessageFacts): MessageFacts {
    const known = this.#facts.get(facts);
    if (known !== undefined) return known;
    const envelope = this.#copy(facts.envelope);
    const bodyStructure = this.#copy(facts.bodyStructure);
    const packed = { ...facts, envelope, bodyStructure };
    this.#facts.set(facts, packed);
    return packed;
  }

  #copy(bytes: Uint8Array): Uint8Array {
    const start = this.#used;
    this.#bytes.set(bytes, start);
    this.#used += bytes.length;
    return this.#bytes.subarray(start, this.#used);
  }
}
