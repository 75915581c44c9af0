/** The POP3 server machine with a maildrop that fails at random. */

import type { AccountId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { pop3Server } from '#protocol/pop3/machine.ts';
import type { Pop3Options } from '#protocol/pop3/options.ts';
import type { Pop3Answer, Pop3Fact, Pop3Question } from '#protocol/pop3/questions.ts';
import { Durable } from '#store/durable.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { compareSessions, feed, livedAgain } from '../cuts.ts';
import { expand } from '../grammar.ts';
import { Driven, type Outside, TLS } from '../machine.ts';
import { MAILS } from '../mails.ts';
import { type Case, type Cutting, must, type Target } from '../target.ts';

const RULES = {
  start: ['{in}{commands}QUIT\r\n', '{in}{commands}', '{before}{in}{commands}'],
  in: [
    'USER alice\r\nPASS secret\r\n',
    'AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n',
    'AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n',
  ],
  before: [
    'CAPA\r\n',
    'STLS\r\n',
    'STAT\r\n',
    'AUTH\r\n',
    'USER x\r\nPASS y\r\n',
    'AUTH LOGIN\r\n*\r\n',
    'APOP a b\r\n',
    '{before}{before}',
  ],
  commands: ['{command}', '{command}{commands}', '{command}{command}{commands}'],
  command: [
    'RETR {n}\r\n',
    'TOP {n} {n}\r\n',
    'DELE {n}\r\n',
    'UIDL\r\n',
    'UIDL {n}\r\n',
    'LIST\r\n',
    'LIST {n}\r\n',
    'STAT\r\n',
    'RSET\r\n',
    'NOOP\r\n',
    'CAPA\r\n',
    'UTF8\r\n',
    'LANG *\r\n',
    'QUIT\r\n',
    'XYZZY \0\r\n',
  ],
  n: ['1', '2', '3', '0', '-1', '01', '99999999999', '18446744073709551616', '1 1', 'x', ''],
};

export const pop3: Target = {
  name: 'pop3-server',
  seeds: corpus('src/protocol/pop3'),
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 2_000,
  run: (one) => livedAgain(one, session, compareSessions),
};

type Session = Driven<Pop3Question, Pop3Answer, Pop3Fact>;

async function session(one: Case, how: Cutting): Promise<Session> {
  const chance = new Chance(one.setup, 'pop3');
  const secure = chance.once(5) ? undefined : TLS;
  const host = new Host(new Chance(one.setup, 'host'), secure !== undefined);
  const driven: Session = new Driven(pop3Server(optionsFrom(chance), secure), host, false);
  await feed(driven, one, how, { chance, rare: 12, upgrade: /STLS\r\n/gi });
  // A message may hold a bare CR, and a transfer that failed may end anywhere; LF is a line end.
  must(!/(?<!\r)\n/.test(driven.output), 'no bare LF', driven.output);
  must(host.broken || /(?:^|\r\n)$/.test(driven.output), 'output ends with a line end');
  host.finished(latin1(one.octets));
  return driven;
}

function optionsFrom(chance: Chance): Partial<Pop3Options> {
  if (chance.once(2)) return { startTls: true };
  return {
    startTls: chance.once(2),
    lineBytes: chance.pick([20, 255]),
    saslLineBytes: chance.pick([20, 1_000]),
    sliceBytes: chance.pick([1, 2, 10, 65_536]),
    commandsBeforeLogin: chance.pick([1, 5]),
    loginFailures: chance.pick([1, 2]),
    errors: chance.pick([1, 5]),
  };
}

/** One login, a few messages; checks that only QUIT removes, and only what DELE named. */
class Host implements Outside<Pop3Question, Pop3Answer, Pop3Fact> {
  /** A transfer failed: the last line may have no end. */
  broken = false;
  readonly #chance: Chance;
  readonly #often: number;
  readonly #messages: readonly Uint8Array[];
  #secure: boolean;
  #who = false;
  #opened = false;
  #removed: readonly number[] | undefined;

  constructor(chance: Chance, secure: boolean) {
    this.#chance = chance;
    this.#secure = secure;
    this.#often = chance.pick([0, 0, 5, 20]);
    this.#messages = Array.from({ length: chance.below(4) }, () => chance.pick(MAILS));
  }

  answer(question: Pop3Question): Pop3Answer | Failure {
    if (question.kind === 'sasl') must(this.#secure, 'no login without TLS');
    if (question.kind === 'open') must(this.#who, 'a maildrop opens after a login');
    if (this.#often > 0 && this.#chance.once(this.#often)) {
      this.broken = true;
      return Failure.temporary('disk', 'the disk is gone');
    }
    switch (question.kind) {
      case 'nonce':
        return { kind: 'nonce', bytes: utf8('nonce-nonce-nonce-nonce') };
      case 'open':
        if (this.#chance.once(10)) return { kind: 'in-use' };
        this.#opened = true;
        return { kind: 'opened', maildrop: this.#maildrop() };
      case 'octets': {
        const { index, from, lengthBytes } = question;
        const message = this.#messages[index];
        must(this.#opened && message !== undefined, 'octets of a message that is there', question);
        must(lengthBytes > 0 && from >= 0, 'a slice that makes sense', question);
        return { kind: 'octets', bytes: message?.slice(from, from + lengthBytes) ?? utf8('') };
      }
      case 'remove':
        must(this.#removed === undefined, 'messages are removed once');
        this.#removed = question.indexes;
        return { kind: 'removed', durable: Durable.committed(1) };
      case 'sasl':
        return { kind: 'sasl', answer: this.#sasl(question.question) };
    }
  }

  tell(fact: Pop3Fact): void {
    if (fact.kind === 'authenticated') this.#who = true;
  }

  secured(): void {
    this.#secure = true;
  }

  finished(input: string): void {
    if (this.#removed === undefined) return;
    must(/QUIT/i.test(input) && /DELE/i.test(input), 'only DELE and QUIT remove', input);
    for (const index of this.#removed) {
      must(new RegExp(`DELE +0*${index + 1}\\b`, 'i').test(input), 'only what was named', input);
    }
  }

  #maildrop() {
    const messages = this.#messages;
    return {
      count: messages.length,
      totalBytes: messages.reduce((sum, { length }) => sum + length, 0),
      sizeBytes: (index: number) => messages[index]?.length ?? 0,
      headBytes: (index: number) => {
        const at = latin1(messages[index] ?? utf8('')).indexOf('\r\n\r\n');
        return at < 0 ? (messages[index]?.length ?? 0) : at + 4;
      },
      uniqueId: (index: number) => `7.${index + 10}`,
    };
  }

  #sasl(question: (Pop3Question & { kind: 'sasl' })['question']) {
    const known = question.login === 'alice';
    const identity = known ? { account: 1 as AccountId, address: 'alice@demo.test' } : undefined;
    if (question.kind === 'scram') {
      const key = new Uint8Array(32);
      const keys = { salt: utf8('salt'), iterations: 4_096, storedKey: key, serverKey: key };
      return { kind: 'scram' as const, identity, ...keys };
    }
    const right = question.password.reveal() === 'secret';
    return { kind: 'password' as const, identity: right ? identity : undefined };
  }
}
