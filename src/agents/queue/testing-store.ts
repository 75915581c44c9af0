/** What the queue tests have for a store: the queue's part of one, in memory. */

import type { ContentId, Domain, QueueId } from '#base/brand.ts';
import { NO_BYTES, utf8 } from '#base/bytes.ts';
import { Failure, invariant } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Acceptance, Operations } from '#store/operations.ts';
import type { DueRecipient, QueuedMessage, QueuedRecipient, QueueReader } from '#store/queue.ts';
import type { Store } from '#store/store.ts';

export interface MailOrder {
  readonly id: string;
  readonly from?: string;
  readonly to: readonly (string | Partial<QueuedRecipient>)[];
  readonly lifetimeMs?: number;
  readonly envelope?: Partial<QueuedMessage['envelope']>;
  readonly octets?: string;
}

/** The queue part of the store, in memory; writes can be made to fail. */
export class TestStore {
  readonly messages = new Map<
    QueueId,
    { -readonly [K in keyof QueuedMessage]: QueuedMessage[K] }
  >();
  readonly notices: Acceptance[] = [];
  readonly entries: LedgerEntry[] = [];
  readonly settles: Operations['settle']['input'][] = [];
  readonly #clock: Clock;
  readonly #octets = new Map<ContentId, Uint8Array>();
  readonly #watchers = new Set<(rows?: readonly DueRecipient[]) => void>();
  /** Whether watchers are told which rows are new, or have to look. */
  tells = false;
  /** Writes wait for it. */
  disk: Promise<unknown> = Promise.resolve();
  /** How many of the next writes fail, as on a full disk. */
  failures = 0;
  reads = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts a message into the queue, due now. */
  add(order: MailOrder): QueueId {
    const id = order.id as QueueId;
    const nowMs = this.#clock.now();
    const content = (this.#octets.size + 1) as ContentId;
    const octets = utf8(order.octets ?? 'Subject: x\r\n\r\nbody\r\n');
    this.#octets.set(content, octets);
    const recipients = order.to.map((to, index) => rowOf(to, index + 1, nowMs, order.lifetimeMs));
    this.messages.set(id, {
      id,
      envelope: {
        reversePath: order.from ?? 'alice@demo.test',
        ret: undefined,
        envelopeId: undefined,
        smtpUtf8: false,
        body: '7bit',
        ...order.envelope,
      },
      content,
      headBytes: Buffer.from(octets).indexOf('\r\n\r\n') + 4,
      sizeBytes: octets.length,
      acceptedMs: nowMs,
      submitter: undefined,
      recipients,
    });
    const rows = recipients.filter(({ state }) => state === 'waiting');
    this.changed(this.tells ? rows.map((row) => ({ ...row, id })) : undefined);
    return id;
  }

  row(id: string, number = 1): QueuedRecipient | undefined {
    return this.messages.get(id as QueueId)?.recipients.find((row) => row.number === number);
  }

  /** Changes rows as a command by hand would. */
  change(id: QueueId, number: number, change: Partial<QueuedRecipient>): void {
    const message = this.messages.get(id);
    invariant(message !== undefined, 'the message is there');
    message.recipients = message.recipients.map((row) =>
      row.number === number ? { ...row, ...change } : row,
    );
    this.changed();
  }

  changed(rows?: readonly DueRecipient[]): void {
    for (const watcher of this.#watchers) watcher(rows);
  }

  get store(): Store {
    const queue: QueueReader = {
      due: (nowMs, limit, after) => this.#due(nowMs, limit, after),
      nextDueMs: () => this.#due(Number.MAX_SAFE_INTEGER, 1)[0]?.nextMs,
      message: (id) => this.messages.get(id),
      list: () => [...this.messages.values()],
      size: () => ({ messages: this.messages.size, recipients: 0 }),
    };
    const mail = {
      octets: (content: ContentId, from: number, length: number) =>
        (this.#octets.get(content) ?? NO_BYTES).subarray(from, from + length),
    };
    const store = {
      queue,
      mail,
      watchQueue: (listener: (rows?: readonly DueRecipient[]) => void) => {
        this.#watchers.add(listener);
        return () => this.#watchers.delete(listener);
      },
      write: (operation: string, input: Operations['settle']['input']) => {
        invariant(operation === 'settle', 'the queue only settles');
        return this.#settle(input);
      },
    };
    return store as unknown as Store;
  }

  #due(
    nowMs: number,
    limit: number,
    after?: Pick<DueRecipient, 'nextMs' | 'id' | 'number'>,
  ): DueRecipient[] {
    this.reads += 1;
    const rows: DueRecipient[] = [];
    for (const { id, recipients } of this.messages.values()) {
      for (const { state, number, domain, nextMs } of recipients) {
        if (state === 'waiting' && nextMs <= nowMs) rows.push({ id, number, domain, nextMs });
      }
    }
    const sorted = rows.sort(byPlace);
    return sorted.filter((row) => after === undefined || byPlace(row, after) > 0).slice(0, limit);
  }

  async #settle(input: Operations['settle']['input']): Promise<unknown> {
    await this.disk;
    if (this.failures > 0) {
      this.failures -= 1;
      throw Failure.temporary('disk-full', 'no space left on device');
    }
    this.settles.push(input);
    this.notices.push(...input.notices);
    this.entries.push(...input.ledger);
    const message = this.messages.get(input.id);
    if (message !== undefined) {
      message.recipients = message.recipients.flatMap((row) => {
        const change = input.settlements.find(({ number }) => number === row.number);
        if (change === undefined) return [row];
        if (change.kind === 'done') return [];
        const { nextMs, lastAnswer, delayNotified } = change;
        return [{ ...row, nextMs, lastAnswer, delayNotified, attempts: row.attempts + 1 }];
      });
      if (message.recipients.length === 0) this.messages.delete(input.id);
    }
    const waits = input.settlements.some(({ kind }) => kind !== 'done');
    if (waits || input.notices.length > 0) this.changed();
    return { result: { kind: 'done' } };
  }
}

function byPlace(
  a: Pick<DueRecipient, 'nextMs' | 'id' | 'number'>,
  b: Pick<DueRecipient, 'nextMs' | 'id' | 'number'>,
): number {
  if (a.nextMs !== b.nextMs) return a.nextMs - b.nextMs;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return a.number - b.number;
}

function rowOf(
  to: string | Partial<QueuedRecipient>,
  number: number,
  nowMs: number,
  lifetimeMs = 432_000_000,
): QueuedRecipient {
  const change = typeof to === 'string' ? { address: to } : to;
  const address = change.address ?? `user${number}@far.test`;
  const domain = address.slice(address.lastIndexOf('@') + 1) as Domain;
  return {
    number,
    address,
    domain,
    notify: undefined,
    originalRecipient: undefined,
    state: 'waiting',
    attempts: 0,
    nextMs: nowMs,
    expiresMs: nowMs + lifetimeMs,
    delayNotified: false,
    lastAnswer: undefined,
    ...change,
  };
}
