/** Lines, STARTTLS, AUTH and limits: the inputs of the attack list (S8, S12, T1-T3, A1, A9). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  array,
  assert as assertProperty,
  constantFrom,
  integer,
  oneof,
  property,
  string,
} from 'fast-check';
import { fromLatin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { smtpServer } from './machine.ts';
import { openHost, Session, TEST_TLS, testOptions, type TestHost } from './transcript.test.ts';

const submission = { mode: 'submission', requireTls: false } as const;

/** Cannot look up logins. */
const failing: TestHost = (question, server) =>
  question.kind === 'sasl' ? Failure.temporary('x', 'x') : openHost(question, server);

/** Refuses at one question. */
const refuse =
  (kind: string, close: boolean): TestHost =>
  (question, server) =>
    question.kind === kind
      ? {
          kind: 'refuse',
          reply: { code: 550, enhanced: '5.7.1', lines: ['no\r\n250 ok'] },
          close,
        }
      : openHost(question, server);

describe('lines', () => {
  const rows: [what: string, input: string, reply: RegExp, closed: boolean][] = [
    ['bare LF', 'NOOP\nNOOP\r\n', /^500 5\.5\.2 Bare LF/, true],
    ['bare CR (S8)', 'RCPT TO:<a@b>\rRCPT TO:<x@y>\r\n', /^500 5\.5\.2 Bare CR/, true],
    ['CR in EHLO (S8)', 'EHLO a\rb\r\n', /^500 5\.5\.2 Bare CR/, true],
    ['LF in a parameter (S8)', 'MAIL FROM:<a@b.test> SIZE=1\nX\r\n', /^500 5\.5\.2 Bare LF/, true],
    ['NUL (S8)', 'RCPT TO:<a@b\0>\r\n', /^500 5\.5\.2 NUL/, true],
    [
      'a letter that only looks like S',
      Buffer.from('R\u017fET\r\n').toString('latin1'),
      /^500 5\.5\.1/,
      false,
    ],
    ['a vertical tab', 'NOOP\x0b\r\n', /^500 5\.5\.1/, false],
    ['white space around', 'noop \t\r\n', /^250 /, false],
    ['2048 octets', `NOOP ${'x'.repeat(2041)}\r\n`, /^250 /, false],
    ['2049 octets', `NOOP ${'x'.repeat(2042)}\r\n`, /^500 5\.5\.2 Line too long/, false],
    ['an AUTH line of 12288', `AUTH PLAIN ${'A'.repeat(12_275)}\r\n`, /^503 /, false],
    ['an AUTH line of 12289', `AUTH PLAIN ${'A'.repeat(12_276)}\r\n`, /^500 5\.5\.6 /, false],
    ['1 MiB of base64 (A1)', `AUTH PLAIN ${'A'.repeat(1 << 20)}\r\n`, /^500 5\.5\.6 /, false],
  ];
  for (const [what, input, reply, closed] of rows) {
    it(what, () => {
      const sizes = input.length > 5000 ? [Infinity, 1000] : [Infinity, 1, 3];
      for (const size of sizes) {
        const session = new Session();
        for (let at = 0; at < input.length; at += size) session.receive(input.slice(at, at + size));
        assert.match(session.sent.split('\r\n')[1] ?? '', reply, `${size}`);
        assert.equal(session.closed, closed);
        if (!closed) {
          session.receive('NOOP\r\n');
          assert.match(session.sent, /250 2\.0\.0 OK\r\n$/);
        }
      }
    });
  }

  it('a line without end: the session ends, memory stays flat (S12)', () => {
    const session = new Session();
    const chunk = Buffer.alloc(65_536, 0x61);
    let count = 0;
    while (!session.closed && count < 1000) {
      session.receive(chunk);
      count += 1;
    }
    assert.equal(count, 33);
    assert.equal(session.codes, '220 500 421');
  });
});

describe('STARTTLS', () => {
  const startTls = { startTls: true };

  it('with anything behind it in clear: dropped and closed (T1)', () => {
    for (const injected of ['RSET\r\n', 'MAIL FROM:<a@b>\r\n', '\r\n', '\x16\x03\x01', 'x']) {
      const session = new Session(startTls);
      session.receive(`EHLO x\r\nSTARTTLS\r\n${injected}`);
      assert.equal(session.codes, '220 250 503');
      assert.equal(session.closed, true);
      assert.equal(session.negotiating, false);
      assert.ok(session.log.includes('{"kind":"violation","what":"starttls-injection"}'));
    }
  });

  it('with octets that come while TLS is awaited: closed', () => {
    const session = new Session(startTls);
    session.receive('EHLO x\r\nSTARTTLS\r\n');
    assert.equal(session.negotiating, true);
    session.receive('RSET\r\n');
    assert.equal(session.closed, true);
    assert.equal(session.codes, '220 250 220');
  });

  it('forgets the transaction, the name and the half of a line (T2)', () => {
    const session = new Session(startTls);
    session.receive('EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nSTARTTLS\r\n');
    session.secured();
    const view = session.server.session;
    assert.equal(view.helo, undefined);
    assert.equal(view.transaction, undefined);
    assert.equal(view.secure, TEST_TLS);
    assert.ok(session.facts.some((one) => one.kind === 'transaction-dropped'));
    session.receive('RCPT TO:<c@d.test>\r\n');
    assert.match(session.sent, /503 5\.5\.1 Say hello first\r\n$/);
  });
});

describe('AUTH', () => {
  it('is not there in clear, whatever is set (A9)', () => {
    for (const mode of ['smtp', 'submission', 'lmtp'] as const) {
      const session = new Session({ mode, auth: true, requireTls: false });
      session.receive(mode === 'lmtp' ? 'LHLO x\r\n' : 'EHLO x\r\n');
      assert.doesNotMatch(session.sent, /AUTH/);
      session.receive('AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n');
      assert.match(session.sent, /538 5\.7\.11/);
      assert.ok(!session.questions.some((one) => one.kind === 'sasl'));
    }
  });

  it('hides what was typed: no password reaches the record', () => {
    const session = new Session(submission, openHost, TEST_TLS);
    session.receive('EHLO x\r\nAUTH LOGIN c2VjcmV0dXNlcg==\r\nc2VjcmV0\r\n');
    session.receive('AUTH BOGUS c2VjcmV0\r\nc2VjcmV0\r\nUSER secret\r\nPASS secret\r\n');
    session.receive(`AUTH PLAIN ${'c2VjcmV0'.repeat(2000)}\r\n`);
    assert.doesNotMatch(session.log.join('\n'), /c2Vj|C2VJ|PASS secret|"command":"[^"]*secret/);
  });

  it('counts a login that ends in silence, and tells only once', () => {
    const session = new Session(submission, openHost, TEST_TLS);
    session.receive('EHLO x\r\nAUTH PLAIN AGFsaWNlAHdyb25n\r\n');
    const failed = session.facts.filter((one) => one.kind === 'login-failed');
    assert.deepEqual(failed, [{ kind: 'login-failed', mechanism: 'PLAIN', login: 'alice' }]);
  });

  it('stays valid through RSET and EHLO, and not in a transaction', () => {
    const session = new Session(submission, openHost, TEST_TLS);
    session.receive('EHLO x\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nRSET\r\nEHLO x\r\n');
    assert.equal(session.server.session.authenticated?.address, 'alice@mx.test');
    const other = new Session({ auth: true }, openHost, TEST_TLS);
    other.receive('EHLO x\r\nMAIL FROM:<a@b.test>\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n');
    assert.equal(other.codes, '220 250 250 503');
  });

  it('when the host fails: 454, and the session goes on', () => {
    const session = new Session(submission, failing, TEST_TLS);
    session.receive('EHLO x\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nNOOP\r\n');
    assert.equal(session.codes, '220 250 454 250');
  });
});

describe('limits', () => {
  it('of mistakes, unknown and useless commands', () => {
    const errors = new Session();
    errors.receive('RCPT TO:<a@b.test>\r\n'.repeat(100));
    assert.equal(errors.codes, `220 ${'503 '.repeat(19)}421`);
    const unknown = new Session();
    unknown.receive('XYZZY\r\n'.repeat(100));
    assert.equal(unknown.codes, `220 ${'500 '.repeat(9)}421`);
    const useless = new Session({ limits: { commands: 50 } });
    useless.receive('NOOP\r\n'.repeat(100));
    assert.equal(useless.codes, `220 ${'250 '.repeat(50)}421`);
  });

  it('count anew after a message', () => {
    const session = new Session({ limits: { commands: 5 } });
    session.receive('HELO x\r\n');
    const message = 'MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nx\r\n.\r\n';
    for (let count = 0; count < 5; count++) session.receive(message);
    assert.equal(session.messages.length, 5);
  });

  it('of commands does not count accepted recipients, which have their own', () => {
    const session = new Session({ limits: { commands: 5, recipients: 20 } });
    session.receive('HELO x\r\nMAIL FROM:<a@b.test>\r\n');
    session.receive('RCPT TO:<c@d.test>\r\n'.repeat(30));
    assert.equal(session.codes, `220 250 250 ${'250 '.repeat(20)}${'452 '.repeat(3)}421`);
  });

  it('of time: told to the driver when a command is done, not for each octet', () => {
    const session = new Session();
    const before = session.deadlines.length;
    assert.equal(session.deadlines.at(-1), 305_000);
    for (const octet of 'NOOP') session.receive(octet);
    assert.equal(session.deadlines.length, before);
    session.receive('\r\n');
    assert.equal(session.deadlines.length, before + 1);
    session.perform(session.server.expired());
    assert.match(session.sent, /421 4\.4\.2 [^\n]*\r\n$/);
    assert.equal(session.closed, true);
  });
});

describe('the host', () => {
  const all = 'EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n';

  for (const [kind, codes] of [
    ['connect', '550'],
    ['helo', '220 550 503 503 503'],
    ['mail', '220 250 550 503 503'],
    ['rcpt', '220 250 250 550 554'],
    ['data', '220 250 250 250 550'],
    ['content-end', '220 250 250 250 354 550'],
  ] as const) {
    it(`may refuse at ${kind}, and nothing can be put into its words`, () => {
      const session = new Session({}, refuse(kind, false));
      session.receive(all);
      if (kind === 'content-end') session.receive('x\r\n.\r\n');
      assert.equal(session.codes, codes);
      assert.match(session.sent, /550 5\.7\.1 no\?\?250 ok\r\n/);
      const closing = new Session({}, refuse(kind, true));
      closing.receive(all);
      if (kind === 'content-end') closing.receive('x\r\n.\r\n');
      assert.equal(closing.closed, true);
      assert.match(closing.sent, /550 5\.7\.1 [^\n]*\r\n$/);
    });
  }

  it('may fail anywhere, and is said to have failed', () => {
    for (const [kind, said] of [
      ['connect', '421 4.3.0'],
      ['mail', '451 4.3.0'],
      ['rcpt', '451 4.3.0'],
      ['content-end', '451 4.3.0'],
    ] as const) {
      const session = new Session({}, (question, server) =>
        question.kind === kind ? Failure.temporary('x', 'x') : openHost(question, server),
      );
      session.receive(`${all}x\r\n.\r\n`);
      assert.ok(session.sent.includes(said), `${kind}: ${session.sent}`);
      assert.deepEqual(session.messages, []);
    }
  });

  it('hears of early talkers, stops politely, and sees the end', () => {
    const early = smtpServer(testOptions());
    early.start();
    assert.deepEqual(early.receive(Buffer.from('NOOP\r\n')), [
      { kind: 'tell', fact: { kind: 'violation', what: 'early-talker' } },
    ]);
    const said = early.answer({ kind: 'proceed' }).find((one) => one.kind === 'send');
    assert.match(Buffer.from(said!.bytes).toString(), /^220 [^\n]*\r\n250 2\.0\.0 OK\r\n$/);
    const stopped = new Session();
    stopped.receive('EHLO x\r\nMAIL FROM:<a@b.test>\r\n');
    stopped.perform(stopped.server.stop());
    assert.match(stopped.sent, /421 4\.3\.2 [^\n]*\r\n$/);
    assert.deepEqual(stopped.facts.at(-1), { kind: 'transaction-dropped' });
    assert.equal(stopped.closed, true);
    assert.deepEqual(stopped.server.receive(Buffer.from('NOOP\r\n')), []);
  });
});

describe('the memory of a large message', () => {
  const lines = 'line 6\r\n'.repeat(1_000);
  for (const behind of ['', 'NOOP\r\nVRFY postmaster\r\n']) {
    it(`is given back at its end${behind === '' ? '' : ', unless commands lie behind it'}`, () => {
      const session = new Session();
      session.receive('EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n');
      session.receive(lines.repeat(6));
      const last = new Uint8Array(fromLatin1(`${lines}.\r\n${behind}`));
      session.receive(last);
      assert.ok(session.messages[0] === lines.repeat(7));
      assert.equal(last.buffer.detached, behind === '');
      assert.match(session.codes, behind === '' ? /354 250$/ : /354 250 250 25\d$/);
    });
  }
});

describe('any input', () => {
  it('any chunking gives the same actions, and nothing throws', () => {
    const open = 'EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';
    const start = constantFrom('', 'EHLO x\r\n', open, `${open}DATA\r\n`, `${open}BDAT 9\r\n`);
    const piece = oneof(
      constantFrom(
        'EHLO x\r\n',
        'MAIL FROM:<a@b.test>\r\n',
        'RCPT TO:<c@d.test>\r\n',
        'RSET\r\n',
        'NOOP\r\n',
        'BDAT 5\r\n',
        'BDAT 3 LAST\r\n',
        'abc\r\n',
        '.\r\n',
        '..\r\n',
        '\r\n',
        '\r',
        '\n',
        '.',
        '\0',
        'AUTH PLAIN\r\n',
        'AUTH LOGIN =\r\n',
        '*\r\n',
        'QUIT\r\n',
        'VRFY x\r\n',
        'HELP\r\n',
        'AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n',
        'XYZ\r\n',
        'BDAT x\r\n',
        'MAIL FROM:<> SIZE=99\r\n',
        'RCPT TO:<@a.test:b@c.test> NOTIFY=NEVER\r\n',
        `NOOP ${'x'.repeat(100)}\r\n`,
        'MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nhello\r\n.\r\n',
      ),
      string({ maxLength: 6 }),
    );
    const limits = { lineBytes: 90, messageBytes: 60, excessBytes: 80, contentLineBytes: 30 };
    const options = { auth: true, limits } as const;
    assertProperty(
      property(
        start,
        array(piece, { maxLength: 14 }),
        array(integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
        (begin, pieces, steps) => {
          const input = begin + pieces.join('');
          const whole = new Session(options, openHost, TEST_TLS);
          whole.receive(input);
          if (whole.log.some((line) => line.includes('early-content'))) return;
          const cut = new Session(options, openHost, TEST_TLS);
          for (let at = 0, turn = 0; at < input.length; turn++) {
            const step = steps[turn % steps.length] ?? 1;
            cut.receive(
              Buffer.from(input, 'latin1')
                .toString('latin1')
                .slice(at, at + step),
            );
            at += step;
          }
          assert.deepEqual(cut.log, whole.log);
          assert.equal(cut.sent, whole.sent);
          assert.equal(cut.body, whole.body);
          assert.match(whole.sent, /^(?:\d{3}[ -][^\r\n]*\r\n)*$/);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** The last action for an input that came behind the greeting. */
function lastAction(input: string): unknown {
  const machine = smtpServer(testOptions());
  machine.start();
  machine.answer({ kind: 'proceed' });
  return machine.receive(fromLatin1(input)).at(-1);
}

it('QUIT is a goodbye of the client; one that is sent away may still be sending', () => {
  assert.deepEqual(lastAction('QUIT\r\n'), { kind: 'close', parted: true });
  assert.deepEqual(lastAction('GET / HTTP/1.1\r\n'), { kind: 'close' });
});
