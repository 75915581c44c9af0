/** Runs the server machine against lines of text: what tests of SMTP dialogues are written in. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Domain, QueueId } from '#base/brand.ts';
import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secure } from '#base/secure.ts';
import { Durable } from '#store/durable.ts';
import { reply } from '../reply.ts';
import { type SmtpServer, smtpServer } from './machine.ts';
import type { SmtpServerOptions } from './options.ts';
import type { SmtpAction } from './output.ts';
import type { SmtpAnswer, SmtpFact, SmtpQuestion } from './questions.ts';

export type TestHost = (question: SmtpQuestion, server: SmtpServer) => SmtpAnswer | Failure;

export const TEST_TLS = Secure.established({
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  serverName: undefined,
  peer: { kind: 'not-asked' },
  channelBinding: { exporter: undefined, serverEndPoint: undefined },
});

export function testOptions(options: Partial<SmtpServerOptions> = {}): SmtpServerOptions {
  return { hostname: 'mx.test' as Domain, nonce: () => utf8('0123456789abcdefgh'), ...options };
}

/** Lets everything through; one account, alice with the password secret. */
export const openHost: TestHost = (question) => {
  if (question.kind === 'content-end') {
    return { kind: 'accepted', durable: Durable.committed(1), id: 'Q1' as QueueId };
  }
  if (question.kind !== 'sasl') return { kind: 'proceed' };
  if (question.question.kind !== 'password')
    return { kind: 'refuse', reply: reply(454, '4.7.0', 'No') };
  const { login, password } = question.question;
  const right = login === 'alice' && password.reveal() === 'secret';
  const identity = right ? { account: 1 as never, address: 'alice@mx.test' } : undefined;
  return { kind: 'sasl', answer: { kind: 'password', identity } };
};

/** A session under test: everything that came out of it, in order. */
export class Session {
  readonly server: SmtpServer;
  readonly host: TestHost;
  readonly facts: SmtpFact[] = [];
  readonly questions: SmtpQuestion[] = [];
  readonly deadlines: number[] = [];
  /** All that happened, for comparing chunkings: deadlines and cuts left out. */
  readonly log: string[] = [];
  /** Content octets of the message at hand, and of those that were accepted. */
  body = '';
  readonly messages: string[] = [];
  sent = '';
  closed = false;
  /** The machine waits for TLS. */
  negotiating = false;

  constructor(options: Partial<SmtpServerOptions> = {}, host: TestHost = openHost, tls?: Secure) {
    this.server = smtpServer(testOptions(options), tls);
    this.host = host;
    this.perform(this.server.start());
  }

  receive(bytes: Uint8Array | string): void {
    const octets = typeof bytes === 'string' ? fromLatin1(bytes) : bytes;
    if (!this.closed) this.perform(this.server.receive(octets));
  }

  secured(tls: Secure = TEST_TLS): void {
    this.negotiating = false;
    this.perform(this.server.secured(tls));
  }

  /** Codes of the replies so far, last lines only. */
  get codes(): string {
    return this.sent.match(/^\d{3}(?= )/gm)?.join(' ') ?? '';
  }

  perform(first: SmtpAction[]): void {
    for (let list: SmtpAction[] | undefined = first; list !== undefined;) list = this.#step(list);
  }

  #step(list: SmtpAction[]): SmtpAction[] | undefined {
    for (const action of list) {
      switch (action.kind) {
        case 'send':
          this.sent += Buffer.from(action.bytes).toString('utf8');
          break;
        case 'ask':
          return this.#ask(action.question);
        case 'body':
          this.body += latin1(action.bytes);
          return this.server.continue();
        case 'flush':
          return this.server.continue();
        case 'start-tls':
          this.log.push('start-tls');
          this.negotiating = true;
          return undefined;
        case 'tell':
          this.facts.push(action.fact);
          this.log.push(JSON.stringify(action.fact));
          if (action.fact.kind === 'transaction-dropped') this.#forget();
          break;
        case 'deadline':
          this.deadlines.push(action.ms);
          break;
        case 'close':
          this.closed = true;
          this.log.push('close');
          return undefined;
      }
    }
    return undefined;
  }

  #ask(question: SmtpQuestion): SmtpAction[] {
    this.questions.push(question);
    this.log.push(JSON.stringify(question));
    const answer = this.host(question, this.server);
    if (question.kind === 'content-end') {
      this.log.push(`content ${JSON.stringify(this.body)}`);
      if (!(answer instanceof Failure) && answer.kind === 'accepted') this.messages.push(this.body);
      this.body = '';
    }
    return answer instanceof Failure ? this.server.failed(answer) : this.server.answer(answer);
  }

  /** A message that was dropped: its octets must be the same however the input was cut. */
  #forget(): void {
    this.log.push(`dropped ${JSON.stringify(this.body)}`);
    this.body = '';
  }
}

/**
 * Plays a transcript and returns how it went, to be compared with what was written: `C:` lines
 * go in (neighbours in one piece of `size` octets each), `S:` what came out, `TLS` negotiates,
 * `CLOSED` the end. An `S:` line that ends in `...` fits everything that begins like it.
 */
export function play(script: string, session: Session, size = Infinity): string {
  const wanted = lines(script);
  const happened: string[] = [];
  let seen = 0;
  const hear = (): void => {
    const text = session.sent.slice(seen);
    seen = session.sent.length;
    for (const line of text.split('\r\n').slice(0, -1)) {
      const want = wanted[happened.length] ?? '';
      const fits = want.endsWith('...') && `S: ${line}`.startsWith(want.slice(0, -3));
      happened.push(fits ? want : `S: ${line}`.trimEnd());
    }
  };
  hear();
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === 'TLS' && session.negotiating) {
      session.secured();
      happened.push('TLS');
    }
    if (wanted[at]?.startsWith('C: ') !== true) continue;
    let input = '';
    for (; wanted[at]?.startsWith('C: ') === true; at++) {
      happened.push(wanted[at] ?? '');
      input += `${wanted[at]?.slice(3)}\r\n`;
    }
    at -= 1;
    for (let from = 0; from < input.length; from += size) {
      session.receive(utf8(input.slice(from, from + size)));
    }
    hear();
  }
  if (session.closed) happened.push('CLOSED');
  return happened.join('\n');
}

/** A script without its indentation. */
export function lines(script: string): string[] {
  return script
    .split('\n')
    .map((line) => line.trim())
    .map((line) => (line === 'C:' ? 'C: ' : line))
    .filter((line) => line !== '');
}

describe('the transcript runner', () => {
  it('shows what was not said, and what was not expected', () => {
    const script = 'S: 220 ...\nC: NOOP\nS: 250 2.0.0 OK';
    assert.equal(play(script, new Session()), script);
    assert.notEqual(play(script.replace('OK', 'KO'), new Session()), script.replace('OK', 'KO'));
    assert.notEqual(play(`${script}\nS: 250`, new Session()), `${script}\nS: 250`);
    assert.notEqual(play(`${script}\nCLOSED`, new Session()), `${script}\nCLOSED`);
    assert.notEqual(play('S: 220 ...\nC: QUIT\nS: 221 ...', new Session()), script);
  });
});
