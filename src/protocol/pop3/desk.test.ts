/** A desk to test POP3 machines at: a client, an outside, and everything that happened. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { AccountId } from '#base/brand.ts';
import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secure } from '#base/secure.ts';
import { Durable } from '#store/durable.ts';
import type { Action } from '../machine.ts';
import { scramKeys } from '../sasl/scram.ts';
import { Pop3Server } from './machine.ts';
import type { Pop3Options } from './options.ts';
import type { Pop3Answer, Pop3Fact, Pop3Question } from './questions.ts';

export const TLS = Secure.established({
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  serverName: undefined,
  peer: { kind: 'not-asked' },
  channelBinding: { exporter: utf8('exporter octets'), serverEndPoint: undefined },
});
export const LOGIN = 'USER alice\r\nPASS correct horse \r\n';
export const ONE = 'Subject: one\r\n\r\nfirst\r\nsecond\r\n';
const TWO = 'Subject: two\r\n\r\n.\r\n..\r\n.x\r\n\r\nlast';
const MESSAGES = [ONE, TWO];

const DISK = Failure.temporary('disk', '/var/lib/postern');

/** A client, the outside, and everything that happened between them. */
export class Desk {
  readonly machine: Pop3Server;
  messages = MESSAGES;
  output = '';
  facts: Pop3Fact[] = [];
  asked: string[] = [];
  events: string[] = [];
  deadlines: number[] = [];
  removed: readonly number[] | undefined;
  fail: Partial<Record<Pop3Question['kind'], Failure>> = {};
  inUse = false;
  /** Reading a message from here on fails. */
  brokenFrom = Infinity;
  /** Octets that the store has less than it says. */
  missing = 0;
  tlsOnStls: Secure | undefined = TLS;

  constructor(options: Partial<Pop3Options> = {}, clear?: 'clear') {
    const secure = clear === undefined ? TLS : undefined;
    this.machine = new Pop3Server({ startTls: true, hostname: 'mx.demo.test', ...options }, secure);
    this.perform(this.machine.start());
    this.output = '';
  }

  say(...chunks: (string | Uint8Array)[]): string {
    const before = this.output.length;
    for (const chunk of chunks) {
      if (this.closed) break;
      this.perform(this.machine.receive(typeof chunk === 'string' ? utf8(chunk) : chunk));
    }
    return this.output.slice(before);
  }

  get closed(): boolean {
    return this.events.includes('close');
  }

  perform(first: Action<Pop3Question, Pop3Fact>[]): void {
    let actions: Action<Pop3Question, Pop3Fact>[] | undefined = first;
    while (actions !== undefined) {
      let next: Action<Pop3Question, Pop3Fact>[] | undefined;
      for (const action of actions) {
        assert.equal(next, undefined, 'nothing stands behind an action that waits');
        next = this.#one(action);
      }
      actions = next;
    }
  }

  #one(action: Action<Pop3Question, Pop3Fact>): Action<Pop3Question, Pop3Fact>[] | undefined {
    switch (action.kind) {
      case 'send':
        this.output += latin1(action.bytes);
        return undefined;
      case 'tell':
        this.facts.push(action.fact);
        return undefined;
      case 'deadline':
        this.deadlines.push(action.ms);
        return undefined;
      case 'flush':
        this.events.push('flush');
        return this.machine.continue();
      case 'start-tls':
        this.events.push('start-tls');
        return this.tlsOnStls && this.machine.secured(this.tlsOnStls);
      case 'ask': {
        this.asked.push(action.question.kind);
        const { question } = action;
        const broken = question.kind === 'octets' && question.from >= this.brokenFrom;
        const failure = broken ? DISK : this.fail[question.kind];
        if (failure !== undefined) return this.machine.failed(failure);
        return this.machine.answer(this.#answer(action.question));
      }
      default:
        this.events.push(action.kind);
        return undefined;
    }
  }

  #answer(question: Pop3Question): Pop3Answer {
    switch (question.kind) {
      case 'nonce':
        return { kind: 'nonce', bytes: utf8('nonce-nonce-nonce-nonce') };
      case 'open':
        return this.inUse ? { kind: 'in-use' } : { kind: 'opened', maildrop: this.#maildrop() };
      case 'octets': {
        const { index, from, lengthBytes } = question;
        const whole = fromLatin1(this.messages[index]!);
        const end = Math.min(from + lengthBytes, whole.length - this.missing);
        return { kind: 'octets', bytes: whole.subarray(from, Math.max(from, end)) };
      }
      case 'remove':
        this.removed = question.indexes;
        return { kind: 'removed', durable: Durable.committed(1) };
      case 'sasl':
        return { kind: 'sasl', answer: this.#sasl(question.question) };
    }
  }

  #sasl(question: (Pop3Question & { kind: 'sasl' })['question']) {
    const known = question.login === 'alice';
    const identity = known ? { account: 1 as AccountId, address: 'alice@demo.test' } : undefined;
    if (question.kind === 'scram') {
      return { kind: 'scram' as const, identity, ...scramKeys('correct horse ', utf8('salt'))! };
    }
    const right = question.password.reveal() === 'correct horse ';
    return { kind: 'password' as const, identity: right ? identity : undefined };
  }

  #maildrop() {
    const sizes = this.messages.map((text) => text.length);
    return {
      count: sizes.length,
      totalBytes: sizes.reduce((sum, size) => sum + size, 0),
      sizeBytes: (index: number) => sizes[index] ?? 0,
      headBytes: (index: number) => (this.messages[index]?.indexOf('\r\n\r\n') ?? 0) + 4,
      uniqueId: (index: number) => `7.${index + 10}`,
    };
  }
}

export function loggedIn(options: Partial<Pop3Options> = {}): Desk {
  const desk = new Desk(options);
  desk.say(LOGIN);
  desk.facts = [];
  return desk;
}

suite('pop3 desk', () => {
  test('greets without version and without an APOP challenge', () => {
    const machine = new Pop3Server({ hostname: 'mx.demo.test' });
    const [first] = machine.start();
    assert.equal(first?.kind === 'send' && latin1(first.bytes), '+OK mx.demo.test POP3 ready\r\n');
  });
});
