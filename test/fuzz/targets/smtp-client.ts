/** The SMTP client against servers that say anything: replies in any pieces, whole transactions. */

import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secret } from '#base/secret.ts';
import type { Secure } from '#base/secure.ts';
import type { Connection, Receiver } from '#base/world.ts';
import { Dialogue } from '#protocol/smtp/client/dialogue.ts';
import { ReplyParser, REPLY_LIMITS } from '#protocol/smtp/client/reply-parser.ts';
import { SmtpSession } from '#protocol/smtp/client/session.ts';
import { transact, type TransactionResult } from '#protocol/smtp/client/transaction.ts';
import type { Envelope } from '#store/queue.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { TLS } from '../machine.ts';
import { type Case, type Cutting, must, pieces, same, type Target } from '../target.ts';

/** US stands between what the server says after one write of the client and after the next. */
const RULES = {
  start: [
    '220 hi\r\n\x1f{ehlo}{mail}',
    '220 hi\r\n\x1f{ehlo}{tls}{ehlo}{mail}',
    '{reply}\x1f{reply}\x1f{reply}\x1f{reply}',
  ],
  ehlo: [
    '250-x\r\n{keywords}250 OK\r\n\x1f',
    '502 no\r\n\x1f250 x\r\n\x1f',
    '250 x\r\n\x1f',
    '{reply}\x1f',
  ],
  keywords: ['', '250-{keyword}\r\n', '250-{keyword}\r\n{keywords}', '250-{keyword}\r\n{keywords}'],
  keyword: [
    'PIPELINING',
    'SIZE 100',
    'SIZE 99999999999999999999',
    '8BITMIME',
    'SMTPUTF8',
    'CHUNKING',
    'BINARYMIME',
    'DSN',
    'STARTTLS',
    'AUTH PLAIN LOGIN SCRAM-SHA-256',
    'AUTH=LOGIN',
    '__proto__ x',
    'LIMITS RCPTMAX=1',
  ],
  tls: ['220 go\r\n\x1f', '454 no\r\n\x1f', '220 go\r\n250-AUTH PLAIN\r\n\x1f', '501 no\r\n\x1f'],
  mail: [
    '{reply}\x1f{reply}\x1f{reply}\x1f{reply}\x1f',
    '{ok}{ok}{ok}{go}{ok}',
    '{ok}{ok}{ok}\x1f{go}\x1f{ok}\x1f',
    '250 a\r\n\x1f250 b\r\n\x1f250 c\r\n\x1f354 go\r\n\x1f{last}\x1f',
    '250 a\r\n250 b\r\n250 c\r\n354 go\r\n\x1f{last}\x1f',
  ],
  ok: ['250 2.1.0 ok\r\n', '250-two\r\n250 lines\r\n', '250 ok\r\n\x1f'],
  go: ['354 go\r\n', '354 go\r\n\x1f', '250 go?\r\n'],
  last: [
    '250 2.0.0 queued\r\n',
    '550 5.7.1 no\r\n',
    '450 later\r\n',
    '',
    '250 one\r\n250 two\r\n',
    '421 bye\r\n',
  ],
  reply: [
    '250 ok\r\n',
    '250-a\r\n251 b\r\n',
    '354 go\r\n',
    '550-5.1.1 no\r\n550 5.1.1 never\r\n',
    '450 4.2.0 later\r\n',
    '421 4.3.2 bye\r\n',
    '25 x\r\n',
    '2500 x\r\n',
    'abc\r\n',
    '250\r\n',
    '250 ok\n',
    '250 o\rk\r\n',
    '553-\r\n553\ntype: mda\nmda-exec: id\r\n',
    '250 \x1b[2J\r\n',
    '250-',
    '199 x\r\n',
    '600 x\r\n',
    '334 UGFzc3dvcmQ6\r\n',
    '235 2.7.0 in\r\n',
    '535 5.7.8 no\r\n',
  ],
};

export const replies: Target = {
  name: 'smtp-replies',
  seeds: corpus('src/protocol/smtp/client'),
  generate: (chance) => expand(RULES, 'mail', chance),
  run({ octets, setup }) {
    const chance = new Chance(setup, 'replies');
    const limits = chance.once(2)
      ? REPLY_LIMITS
      : { lineBytes: chance.pick([5, 12, 100]), lines: chance.pick([1, 2, 5]), replyBytes: 60 };
    const read = (how: Cutting): string => {
      const parser = new ReplyParser(limits);
      const all = pieces(octets, how).flatMap((piece) => parser.push(piece.slice()));
      for (const [at, parsed] of all.entries()) {
        must(parsed.kind === 'reply' || at === all.length - 1, 'nothing follows what is broken');
        if (parsed.kind === 'broken') continue;
        const { code, lines } = parsed.reply;
        must(
          code >= 200 && code < 600 && lines.length >= 1,
          'a reply has a code and a line',
          parsed,
        );
        must(lines.length <= limits.lines, 'a reply has so many lines', parsed);
        must(!/[\x00-\x08\x0a-\x1f\x7f]/.test(lines.join('')), 'no control characters', parsed);
      }
      // Which limit a line broke may be seen before its end, or with it.
      return JSON.stringify(all.map((one) => (one.kind === 'broken' ? 'broken' : one)));
    };
    same(read('octets'), read('whole'), 'any chunking gives the same replies');
    same(read('octets'), read(chance), 'any chunking gives the same replies');
  },
};

export const client: Target = {
  name: 'smtp-client',
  seeds: corpus('src/protocol/smtp/client'),
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 1_500,
  async run(one) {
    const whole = await session(one, 'whole');
    same(whole, await session(one, 'octets'), 'any chunking gives the same outcome');
  },
};

const ADDRESSES = [
  'c@d.test',
  '"a b"@d.test',
  'jos\u00e9@d.test',
  'x@y\r\nRCPT TO:<z@y>',
  'x y@d.test',
  '',
  'a@[IPv6:::1]',
  '<a@b.test>',
];
const MESSAGES = [
  'Subject: x\r\n\r\n.\r\n..a\r\nb',
  'a\n.\nb\r\n.\r\n',
  '\r\n.\r\n',
  '',
  '.',
  'a\r',
  'x\r\n\r\nb\xff',
];
const COMMAND =
  /^(?:EHLO \S+|HELO \S+|LHLO \S+|MAIL FROM:<\S*>( \S+)*|RCPT TO:<[^\r\n]+>( \S+)*|DATA|BDAT \d+( LAST)?|RSET|QUIT|STARTTLS|AUTH \S+( \S+)?|[A-Za-z0-9+/=]*|\*)$/;

/** One session with one mail; what came of it, as text. */
async function session(one: Case, how: 'whole' | 'octets'): Promise<string> {
  const chance = new Chance(one.setup, 'client');
  const clock = virtualClock();
  const connection = new Scripted(one.octets, how, chance.once(4) ? 'silence' : 'end');
  const lmtp = chance.once(4);
  const mode = chance.pick(['never', 'opportunistic', 'opportunistic', 'require'] as const);
  const tls = { serverName: 'mx.test', verify: 'opportunistic' } as const;
  const talk = new Dialogue(connection, { clock });
  const credentials = { login: 'user', password: new Secret('pencil') };
  const smtp = new SmtpSession(talk, {
    clock,
    heloName: 'us.test',
    lmtp,
    tls: mode === 'never' ? { mode } : { mode, ...tls },
    ...(chance.once(3) ? { credentials, nonce: utf8('0123456789abcdefgh') } : {}),
  });
  const work = act(smtp, chance, connection);
  connection.open(talk);
  connection.say();
  // Whoever waits for a server that is silent waits for the clock: at most so many times.
  const state = { over: false };
  const ended = (): void => void (state.over = true);
  work.then(ended, ended);
  for (let turn = 0; turn < 400 && !state.over; turn++) {
    await Promise.resolve();
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    if (turn % 20 === 19) clock.pass(1_000_000);
  }
  must(state.over, 'a session comes to its end', connection.written);
  return `${await work}\n${connection.written}`;
}

async function act(smtp: SmtpSession, chance: Chance, connection: Scripted): Promise<string> {
  try {
    const opening = await smtp.open();
    if (opening.kind !== 'ready') return JSON.stringify(opening);
    const octets = fromLatin1(chance.pick(MESSAGES));
    const recipients = Array.from({ length: chance.between(1, 3) }, () => ({
      address: chance.pick(ADDRESSES),
      notify: undefined,
      originalRecipient: chance.once(5) ? 'rfc822;a\r\nb' : undefined,
    }));
    const envelope: Envelope = {
      reversePath: chance.pick(['a@b.test', '', 'x@y\r\nDATA']),
      ret: undefined,
      envelopeId: chance.once(5) ? 'a\r\nQUIT' : undefined,
      smtpUtf8: chance.once(4),
      body: chance.pick(['7bit', '8bitmime', 'binarymime']),
    };
    const read = (from: number, length: number): Uint8Array => octets.subarray(from, from + length);
    const result = await transact(smtp, { envelope, recipients, sizeBytes: octets.length, read });
    checkWire(connection.written, result, recipients.length, octets.length);
    await smtp.quit();
    return JSON.stringify(result);
  } catch (thrown) {
    if (thrown instanceof Failure) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
}

/** Whatever addresses, content and server are: only commands of ours, and one end of data. */
function checkWire(wire: string, result: TransactionResult, asked: number, size: number): void {
  must(result.outcomes.length === asked, 'an outcome for each recipient', result);
  const at = /(?:^|\r\n)(?:DATA|BDAT \d+(?: LAST)?)\r\n/.exec(wire);
  const commands = at === null ? wire : wire.slice(0, at.index + at[0].length);
  for (const line of commands.split('\r\n').slice(0, -1)) {
    must(COMMAND.test(line), 'a command of ours', line, wire);
  }
  must(!/[\r\n\0]/.test(commands.replaceAll('\r\n', '')), 'commands end with CRLF', wire);
  const delivered = result.outcomes.some(({ kind }) => kind === 'delivered');
  must(!delivered || at !== null, 'nothing is delivered that was not sent', result, wire);
  if (at === null || !wire.slice(at.index).startsWith('\r\nDATA')) return;
  const content = wire.slice(at.index + at[0].length);
  const end = content.startsWith('.\r\n') ? 0 : content.indexOf('\r\n.\r\n');
  must(end >= 0 || !delivered, 'content has an end', wire, size);
  if (end < 0) return;
  const text = content.slice(0, end);
  must(!/[\r\n]/.test(text.replaceAll('\r\n', '')), 'no bare line end goes out', wire);
  const rest = content.slice(content.startsWith('.\r\n') ? 3 : end + 5);
  must(/^(?:RSET\r\n)?(?:QUIT\r\n)?$/.test(rest), 'one end of data', wire);
}

/** A server that says the next part of its script after each write. */
class Scripted implements Connection {
  readonly remote = { address: '192.0.2.1', port: 25 };
  readonly local = { address: '192.0.2.2', port: 40_000 };
  secure: Secure | undefined;
  written = '';
  readonly #script: Uint8Array[];
  readonly #how: 'whole' | 'octets';
  readonly #then: 'silence' | 'end';
  #receiver: Receiver | undefined;
  #gone = false;

  constructor(octets: Uint8Array, how: 'whole' | 'octets', then: 'silence' | 'end') {
    this.#script = latin1(octets).split('\x1f').map(fromLatin1);
    this.#how = how;
    this.#then = then;
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#gone) return true;
    this.written += latin1(bytes);
    this.say();
    return true;
  }

  say(): void {
    const next = this.#script.shift();
    if (next === undefined) {
      if (this.#then === 'end') this.#receiver?.ended();
      return;
    }
    for (const piece of pieces(next, this.#how)) {
      if (!this.#gone) this.#receiver?.received(piece.slice());
    }
  }

  pause(): void {}
  resume(): void {}

  startTls(): Promise<Secure> {
    this.secure = TLS;
    // The next part is what the server says inside TLS to the EHLO that follows.
    return Promise.resolve(TLS);
  }

  end(): void {
    this.#gone = true;
  }

  destroy(): void {
    this.#gone = true;
    queueMicrotask(() => this.#receiver?.closed());
  }
}
