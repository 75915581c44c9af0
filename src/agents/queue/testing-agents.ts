/** What the queue tests have for the other agents: transfer, intake and notify as scripts. */

import { parseAddress } from '#base/address.ts';
import type { QueueId } from '#base/brand.ts';
import { NO_BYTES } from '#base/bytes.ts';
import type { Failure } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import type { Acceptance } from '#store/operations.ts';
import type { Intake, NewMail } from '../mail.ts';
import type { NoticeFacts } from '../notify/facts.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { RecipientResult, Transfer, TransferJob, TransferResult } from '../transfer/job.ts';

/** What a test wants to happen to one recipient. */
export type Fate = 'delivered' | 'relayed' | 'failed' | 'deferred' | 'unreachable' | 'lost';

/** A transfer that does as it is told and remembers what it was asked. */
export class TestTransfer implements Transfer {
  readonly jobs: TransferJob[] = [];
  /** `id/number` of rows being sent now; a row twice at the same time is a bug. */
  readonly #sending = new Set<string>();
  readonly doubles: string[] = [];
  readonly #fate: (job: TransferJob, number: number) => Fate;
  readonly #wait: (job: TransferJob) => Promise<void>;
  running = 0;
  mostRunning = 0;

  constructor(
    fate: (job: TransferJob, number: number) => Fate,
    wait: (job: TransferJob) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#fate = fate;
    this.#wait = wait;
  }

  async send(job: TransferJob): Promise<TransferResult> {
    const keys = job.recipients.map(({ number }) => `${job.id}/${number}`);
    this.doubles.push(...keys.filter((key) => this.#sending.has(key)));
    for (const key of keys) this.#sending.add(key);
    this.jobs.push(job);
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    await this.#wait(job);
    this.running -= 1;
    for (const key of keys) this.#sending.delete(key);
    const recipients = job.recipients.map(({ number }) => result(number, this.#fate(job, number)));
    return { recipients, facts: { hosts: ['mx.far.test'] } };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const SAID: Readonly<Record<'failed' | 'deferred', Reply>> = {
  failed: { code: 550, enhanced: '5.1.1', lines: ['no such user', 'go away'] },
  deferred: { code: 450, enhanced: '4.2.1', lines: ['try later'] },
};

export function result(number: number, fate: Fate): RecipientResult {
  const host = 'mx.far.test [192.0.2.1]:25';
  if (fate === 'delivered' || fate === 'relayed') {
    const reply = { code: 250, enhanced: '2.0.0', lines: ['ok queued as X1'] };
    return { number, kind: 'delivered', reply, host, dsnPassedOn: fate === 'delivered' };
  }
  if (fate === 'unreachable' || fate === 'lost') {
    const status = fate === 'lost' ? '4.4.2' : '4.4.1';
    const reason = fate === 'lost' ? 'the connection was lost' : 'no host answered';
    return { number, kind: 'deferred', reply: undefined, status, host: undefined, reason };
  }
  const reply = SAID[fate];
  const reason = 'the server said no';
  return { number, kind: fate, reply, status: reply.enhanced ?? '', host, reason };
}

/** An intake that takes every notice and keeps nothing. */
export class TestIntake implements Intake {
  readonly #clock: Clock;
  #last = 0;
  /** Thrown by `prepare` as often as this says. */
  refusals: Failure[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  newId(): QueueId {
    this.#last += 1;
    return `N${this.#last}` as QueueId;
  }

  prepare(mail: NewMail): Acceptance {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    return {
      id: mail.id,
      atMs: this.#clock.now(),
      deliveries: [],
      relay: undefined,
      ledger: [
        {
          atMs: this.#clock.now(),
          kind: 'notice',
          session: undefined,
          queueId: mail.id,
          keys: [],
          facts: mail.facts,
        },
      ],
    };
  }

  accept(): Promise<never> {
    throw new Error('the queue writes notices with its own rows');
  }
}

/** A notifier that writes down what it was asked, in the facts of the notice. */
export class TestNotifier implements Notifier {
  readonly returnBytes = 51_200;
  readonly asked: NoticeFacts[] = [];

  notice(id: QueueId, facts: NoticeFacts): NewMail | undefined {
    this.asked.push(facts);
    return {
      id,
      origin: 'notice',
      reversePath: null,
      recipients: [],
      content: { head: NO_BYTES, body: NO_BYTES },
      structure: undefined,
      messageId: undefined,
      envelope: { ret: undefined, envelopeId: undefined, smtpUtf8: false, body: '7bit' },
      session: undefined,
      submitter: undefined,
      facts: {
        about: facts.kind,
        of: facts.mail.id,
        to: parseAddress(facts.mail.envelope.reversePath)?.localPart,
        names: facts.recipients.map(({ address }) => address),
      },
    };
  }
}
