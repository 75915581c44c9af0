/** What tests of the SMTP client need: sinks, sessions with them, messages, outcomes in short. */

import assert from 'node:assert/strict';
import { Failure } from '#base/failure.ts';
import { systemClock } from '#network/clock.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { SmtpSession, type SessionOptions } from '#protocol/smtp/client/session.ts';
import { transact, type OutgoingMail } from '#protocol/smtp/client/transaction.ts';
import type { Envelope } from '#store/queue.ts';
import { startSink, type Sink, type SinkOptions } from './smtp-sink.ts';

export const TEXT = 'Subject: x\r\n\r\nhello\r\n.dot\r\n';

/** Sinks and sessions that `close` ends. */
export class ClientWorld {
  readonly #network = tcpNetwork({ lingerMs: 100 });
  readonly #sinks: Sink[] = [];
  readonly #sessions: SmtpSession[] = [];

  async sink(options: SinkOptions): Promise<Sink> {
    const sink = await startSink(options);
    this.#sinks.push(sink);
    return sink;
  }

  /** Connected; nothing read yet. */
  async connect(sink: Sink, more: Partial<SessionOptions> = {}): Promise<SmtpSession> {
    const where = { address: sink.address, port: sink.port, timeoutMs: 1_000 };
    const usual: SessionOptions = {
      clock: systemClock,
      heloName: 'here.test',
      tls: { mode: 'never' },
    };
    const session = await SmtpSession.connect(this.#network, where, { ...usual, ...more });
    this.#sessions.push(session);
    return session;
  }

  /** Opened. */
  async ready(sink: Sink, more: Partial<SessionOptions> = {}): Promise<SmtpSession> {
    const session = await this.connect(sink, more);
    assert.deepEqual(await session.open(), { kind: 'ready' });
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.dialogue.destroy();
    for (const sink of this.#sinks) await sink.close();
  }
}

/** A message whose octets are the characters of `text`. */
export function mail(
  text = TEXT,
  recipients: OutgoingMail['recipients'] = [to('b@there.test')],
  envelope: Partial<Envelope> = {},
): OutgoingMail {
  const bytes = Buffer.from(text, 'latin1');
  const usual = { reversePath: 'a@here.test', ret: undefined, envelopeId: undefined } as const;
  return {
    envelope: { ...usual, smtpUtf8: false, body: '7bit', ...envelope },
    recipients,
    sizeBytes: bytes.length,
    read: (from, length) => bytes.subarray(from, from + length),
  };
}

export function to(
  address: string,
  more: Partial<OutgoingMail['recipients'][number]> = {},
): OutgoingMail['recipients'][number] {
  return { address, notify: undefined, originalRecipient: undefined, ...more };
}

/** `kind status about` of each outcome. */
export async function outcomes(session: SmtpSession, sent = mail()): Promise<string[]> {
  const result = await transact(session, sent);
  return result.outcomes.map((one) => {
    if (one.kind === 'delivered') return `delivered ${one.reply.code}`;
    return `${one.kind} ${one.status} ${one.about}`;
  });
}

/** The Failure that work ends with. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  return work.then(
    () => assert.fail('should have failed'),
    (thrown: unknown) => {
      assert.ok(thrown instanceof Failure, String(thrown));
      return thrown;
    },
  );
}
