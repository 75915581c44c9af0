/** What an SMTP server must never do, checked from outside by a model of a few lines. */

import type { AccountId, Domain, QueueId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Action } from '#protocol/machine.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { SmtpServerOptions } from '#protocol/smtp/server/options.ts';
import type { SmtpAnswer, SmtpFact, SmtpQuestion } from '#protocol/smtp/server/questions.ts';
import { Durable } from '#store/durable.ts';
import { Chance } from './chance.ts';
import type { Outside } from './machine.ts';
import { must } from './target.ts';

/** Options for a server, from small limits to the defaults. */
export function serverOptions(chance: Chance): { options: SmtpServerOptions; secure: boolean } {
  const mode = chance.pick(['smtp', 'smtp', 'submission', 'lmtp'] as const);
  const small = chance.once(2)
    ? {
        lineBytes: chance.pick([64, 512, 2_048]),
        authLineBytes: chance.pick([64, 512]),
        skippedBytes: chance.pick([1, 100, 1_000]),
        messageBytes: chance.pick([0, 1, 30, 1_000]),
        excessBytes: chance.pick([1, 50, 1_000]),
        contentLineBytes: chance.pick([1, 20, 998]),
        recipients: chance.pick([1, 2, 100]),
        transactions: chance.pick([0, 1, 3]),
        commands: chance.pick([3, 10, 100]),
        errors: chance.pick([1, 5]),
        unknownCommands: chance.pick([1, 3]),
        failedLogins: chance.pick([1, 2]),
      }
    : {};
  const options: SmtpServerOptions = {
    hostname: 'mx.test' as Domain,
    nonce: () => utf8('0123456789abcdefgh'),
    mode,
    startTls: chance.once(2),
    ...(chance.once(4) ? { requireTls: true } : {}),
    ...(chance.once(3) ? { auth: true, requireAuth: chance.once(2) } : {}),
    ...(chance.once(8) ? { withheld: [chance.pick(['CHUNKING', 'PIPELINING', 'DSN'])] } : {}),
    limits: small,
  };
  return { options, secure: chance.once(3) };
}

/** A host that answers at random, the same for the same questions, and a model of the session. */
export class SmtpModel implements Outside<SmtpQuestion, SmtpAnswer, SmtpFact> {
  /** Set by the run: octets fed so far, exact when they are fed one by one. */
  exact: (() => number) | undefined;
  violation: string | undefined;
  readonly #sinkOctets: number;
  readonly #chance: Chance;
  readonly #hostile: number;
  readonly #options: SmtpServerOptions;
  readonly #input: Uint8Array;
  #secure: boolean;
  #who = false;
  #greeted = false;
  /** Accepted recipients of the open transaction. */
  #open: number | undefined;
  #content = false;
  #body = '';
  #finals = 0;
  /** Where content after DATA began, and where it strictly ends. */
  #data: { readonly from: number; readonly end: number } | undefined;

  constructor(setup: number, options: SmtpServerOptions, secure: boolean, input: Uint8Array) {
    this.#chance = new Chance(setup, 'host');
    this.#hostile = this.#chance.pick([0, 0, 4, 12]);
    this.#sinkOctets = sinkFails(setup) ? this.#chance.below(20) : Infinity;
    this.#options = options;
    this.#secure = secure;
    this.#input = input;
  }

  answer(question: SmtpQuestion): SmtpAnswer | Failure {
    this.#judge(question);
    const answer = this.#choose(question);
    if (answer instanceof Failure || answer.kind === 'refuse') this.#refused(question);
    else this.#agreed(question);
    return answer;
  }

  body(bytes: Uint8Array): Failure | undefined {
    must(this.#content, 'content that was agreed to');
    this.#body += latin1(bytes);
    const full = this.#body.length > this.#sinkOctets;
    return full ? Failure.temporary('disk-full', 'no room') : undefined;
  }

  tell(fact: SmtpFact): void {
    if (fact.kind === 'violation') this.violation ??= fact.what;
    if (fact.kind === 'authenticated') this.#who = true;
    if (fact.kind !== 'transaction-dropped') return;
    must(this.#open !== undefined, 'a transaction is dropped that was open');
    this.#forget();
  }

  secured(): void {
    this.#secure = true;
    this.#who = false;
    this.#greeted = false;
  }

  listed(actions: readonly Action<SmtpQuestion, SmtpFact>[]): void {
    const at = this.exact?.();
    if (at === undefined) return;
    const said = actions.flatMap((one) => (one.kind === 'send' ? [latin1(one.bytes)] : []));
    if (said.join('').includes('\r\n354 ') || said[0]?.startsWith('354 ') === true) {
      this.#data = { from: at, end: strictEnd(this.#input, at) };
      return;
    }
    const { end } = this.#data ?? { end: 0 };
    const closes = actions.at(-1)?.kind === 'close';
    const active = said.length > 0 || actions.some((one) => one.kind === 'ask');
    must(at >= end || closes || !active, 'nothing happens inside of content', at, end, said);
    const judged = actions.some((one) => one.kind === 'ask' && one.question.kind === 'content-end');
    if (at >= end && active && !judged) this.#data = undefined;
  }

  #judge(question: SmtpQuestion): void {
    const { requireAuth = this.#options.mode === 'submission' } = this.#options;
    const { requireTls = this.#options.mode === 'submission' } = this.#options;
    const { kind } = question;
    if (kind === 'mail') {
      must(this.#greeted && this.#open === undefined, 'MAIL opens a transaction after a greeting');
    } else if (kind === 'rcpt') {
      must(this.#open !== undefined && !this.#content, 'RCPT is in a transaction');
    } else if (kind === 'data') {
      must((this.#open ?? 0) > 0 && !this.#content, 'content follows accepted recipients');
    } else if (kind === 'content-end') {
      must(this.#content, 'an end belongs to content');
      this.#compareContent();
    } else if (kind === 'sasl') {
      must(this.#secure, 'no login without TLS');
    }
    if (kind === 'mail' || kind === 'rcpt' || kind === 'data' || kind === 'content-end') {
      must(!requireTls || this.#secure, 'no transaction before TLS');
      must(!requireAuth || this.#who, 'no transaction before a login');
    }
  }

  /** In a run octet by octet we know which octets of the input the content was. */
  #compareContent(): void {
    this.#finals += 1;
    const at = this.exact?.();
    const data = this.#data;
    if (at === undefined || data === undefined) return;
    this.#data = undefined;
    must(at === data.end, 'content ends where its end is', at, data.end);
    const raw = latin1(this.#input.subarray(data.from, at));
    const lines = raw.split('\r\n').slice(0, -2);
    const expected = lines
      .map((line) => `${line.startsWith('.') ? line.slice(1) : line}\r\n`)
      .join('');
    must(this.#body === expected, 'the message is what was sent', this.#body, expected);
    must(!/[\r\n\0]/.test(lines.join('')), 'no bare line end is accepted', raw);
  }

  #agreed({ kind }: SmtpQuestion): void {
    if (kind === 'helo') this.#greeted = true;
    else if (kind === 'mail') this.#open = 0;
    else if (kind === 'rcpt') this.#open = (this.#open ?? 0) + 1;
    else if (kind === 'data') this.#content = true;
    else if (kind === 'content-end') this.#forget();
  }

  #refused({ kind }: SmtpQuestion): void {
    if (kind === 'content-end') this.#forget();
  }

  #forget(): void {
    this.#open = undefined;
    this.#content = false;
    this.#body = '';
  }

  #choose(question: SmtpQuestion): SmtpAnswer | Failure {
    const odd = this.#hostile > 0 && this.#chance.once(this.#hostile);
    if (odd && this.#chance.once(3)) return Failure.temporary('disk-full', 'no room');
    if (odd && this.#chance.once(2)) return Failure.permanent('broken', 'broken');
    if (odd && question.kind !== 'sasl') {
      const code = this.#chance.pick([421, 450, 521, 550]);
      const said = reply(code, code < 500 ? '4.7.1' : '5.7.1', 'Not today');
      return { kind: 'refuse', reply: said, close: this.#chance.once(4) };
    }
    if (question.kind === 'content-end') {
      return {
        kind: 'accepted',
        durable: Durable.committed(1),
        id: `Q${this.#finals}` as QueueId,
        ...(this.#chance.once(4)
          ? { perRecipient: [reply(452, '4.2.2', 'Full'), reply(250, '2.0.0', 'Yes')] }
          : {}),
      };
    }
    if (question.kind !== 'sasl') return { kind: 'proceed' };
    const asked = question.question;
    const known = asked.login === 'alice';
    const identity = known ? { account: 1 as AccountId, address: 'alice@mx.test' } : undefined;
    if (asked.kind === 'scram') {
      const key = new Uint8Array(32);
      const keys = { salt: utf8('salt'), iterations: 4_096, storedKey: key, serverKey: key };
      return { kind: 'sasl', answer: { kind: 'scram', identity, ...keys } };
    }
    const right = asked.password.reveal() === 'secret';
    const who = right ? identity : undefined;
    return { kind: 'sasl', answer: { kind: 'password', identity: who } };
  }
}

/** Whether the sink for content fails in this setup, after so many octets. */
export function sinkFails(setup: number): boolean {
  return new Chance(setup, 'sink').once(6);
}

/** After the first CRLF.CRLF from `from` on, where a line begins; Infinity if there is none. */
function strictEnd(input: Uint8Array, from: number): number {
  const text = `\r\n${latin1(input.subarray(from))}`;
  const at = text.indexOf('\r\n.\r\n');
  return at < 0 ? Infinity : from + at + 3;
}
