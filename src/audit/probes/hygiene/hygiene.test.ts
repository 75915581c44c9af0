/** Manners: each planted fault is found in a mock, its careful twin shows none of them. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Finding } from '../../finding.ts';
import { auditMock, type MockOptions, smtpAnswers } from '#test/world/audit.ts';
import * as hygiene from './index.ts';

const GREETING = '220 mock.test ESMTP\r\n';
const OFFERED = ['PIPELINING', 'ENHANCEDSTATUSCODES'];

/** Receives mail for postmaster and abuse, believes no bad name, knows no old command. */
const careful: MockOptions['answer'] = (line, session) => {
  const [verb = '', rest = ''] = line.split(/ (.*)/s);
  if (verb === 'RCPT' && /<(?:postmaster|abuse@mock\.test)>/.test(line)) return '250 2.1.5 ok\r\n';
  if (verb === 'EHLO' && !/^[a-z0-9.-]{1,200}\.invalid$/.test(rest)) return '501 5.5.4 no name\r\n';
  if (verb === 'MAIL' && !session.lines.some((one) => one.startsWith('EHLO'))) {
    return '503 5.5.1 EHLO first\r\n';
  }
  if (verb === 'QUIT') {
    session.say('221 2.0.0 bye\r\n');
    session.end();
    return '';
  }
  if (verb === 'noop') return '250 2.0.0 ok\r\n';
  return undefined;
};

const audited = async (more: MockOptions['answer'], greeting = GREETING) =>
  auditMock(
    {
      greeting,
      answer: smtpAnswers(
        OFFERED,
        (line, session) => more(line, session) ?? careful(line, session),
      ),
    },
    Object.values(hygiene),
    { level: 'active', domains: ['mock.test'] },
  );

const on =
  (pattern: RegExp, reply: string): MockOptions['answer'] =>
  (line) =>
    pattern.test(line) ? `${reply}\r\n` : undefined;

/** Whoever spoke before the greeting is refused at this line: DATA, or the dot that ends the mail. */
const refusesAt =
  (at: string): MockOptions['answer'] =>
  (line, { early, lines }) => {
    if (early && line === at) return '503 5.5.0 you spoke too early\r\n';
    if (line === '.') return '250 2.0.0 taken\r\n';
    if (line.startsWith('RCPT')) return '250 2.1.5 ok\r\n';
    if (line === 'DATA') return '354 go on\r\n';
    return lines.includes('DATA') ? '' : undefined;
  };

const PLANTED: readonly (readonly [id: string, answer: MockOptions['answer']])[] = [
  ['hygiene.postmaster-refused', on(/^RCPT TO:<postmaster>/, '550 5.1.1 unknown user')],
  ['hygiene.abuse-refused', on(/^RCPT TO:<abuse@/, '550 5.1.1 unknown user')],
  ['hygiene.null-sender-refused', on(/^MAIL FROM:<>/, '550 5.7.1 no bounces')],
  ['hygiene.helo-not-required', on(/^MAIL FROM:<>/, '250 2.1.0 ok')],
  ['hygiene.helo-syntax', on(/^EHLO not_a!name/, '250 mock.test')],
  ['hygiene.helo-not-fqdn', on(/^EHLO [a-z0-9]+$/, '250 mock.test')],
  ['hygiene.helo-bare-address', on(/^EHLO 192/, '250 mock.test')],
  ['hygiene.helo-own-name', on(/^EHLO mock\.test/, '250 mock.test')],
  ['hygiene.helo-localhost', on(/^EHLO localhost/, '250 mock.test')],
  ['hygiene.helo-too-long', on(/^EHLO a{60}/, '250 mock.test')],
  ['hygiene.vrfy-code', on(/^VRFY/, '502 5.5.1 no')],
  ['hygiene.enhanced-codes-missing', on(/^XYZZY/, '500 what')],
  ['hygiene.reply-form', on(/^NOOP/, '250-2.0.0 a\r\n251 2.0.0 b')],
  ['hygiene.basic-commands', on(/^RSET/, '500 5.5.1 what')],
  ['hygiene.unknown-command-code', on(/^XYZZY/, '250 2.0.0 sure')],
  ['hygiene.quit', on(/^QUIT/, '250 2.0.0 why')],
  ['hygiene.command-case', on(/^noop/, '500 5.5.2 what')],
  ['hygiene.helo-refused', on(/^HELO/, '500 5.5.2 what')],
  ['exposure.turn', on(/^TURN/, '250 2.0.0 turning')],
  ['exposure.atrn', on(/^ATRN/, '250 2.0.0 turning')],
  ['exposure.etrn', on(/^ETRN/, '250 2.0.0 queuing started')],
  ['exposure.debug', on(/^WIZ/, '200 please pass')],
  ['exposure.verb', on(/^VERB/, '250 2.0.0 verbose')],
  ['exposure.send', on(/^SOML/, '250 2.1.0 ok')],
  ['exposure.xexch50', on(/^XEXCH50/, '354 send')],
];

const lmtp = (line: string): string => {
  if (line.startsWith('LHLO')) return '250 mock.test\r\n';
  return line.startsWith('MAIL') ? '250 2.1.0 ok\r\n' : '500 5.5.2 what\r\n';
};

const submission = (code: string) => ({
  greeting: GREETING,
  implicit: true,
  answer: smtpAnswers([], on(/^RCPT/, code)),
});

suite('hygiene', () => {
  test('a careful server shows nothing but that it serves early talkers', async () => {
    const found = await audited(() => undefined);
    assert.deepEqual(shown(found), ['hygiene.early-talker']);
    const unclear = [...found.values()].filter(({ confidence }) => confidence === 'inconclusive');
    assert.deepEqual(unclear, []);
  });

  for (const [id, answer] of PLANTED) {
    test(`${id} is found where it is planted`, async () => {
      const found = await audited(answer);
      assert.equal(found.get(id)?.confidence, 'confirmed', found.get(id)?.seen ?? id);
      assert.ok(shown(found).length <= 4, String(shown(found)));
    });
  }

  test('a server that agrees to what does not exist has not taken commands of other times', async () => {
    const found = await audited((line) =>
      /^(?:EHLO|HELO|QUIT|DATA|MAIL|RCPT)/i.test(line) ? undefined : '250 ok\r\n',
    );
    for (const id of ['exposure.turn', 'exposure.debug', 'exposure.verb']) {
      assert.equal(found.get(id)?.confidence, 'inconclusive', id);
    }
  });

  test('greylisting and refusals of our address are no fault of the mailbox', async () => {
    for (const reply of ['450 4.2.0 greylisted', '554 5.7.1 client host blocked by a DNSBL']) {
      const found = await audited(on(/^RCPT/, reply));
      assert.equal(found.get('hygiene.postmaster-refused')?.confidence, 'inconclusive', reply);
    }
  });

  test('a server that punishes early talkers is not blamed', async () => {
    const greets = { afterMs: 20, early: '554 5.5.0 you spoke too early\r\n' };
    assert.deepEqual(await talkers({ greets }), ['not-observed', 'not-observed']);
    assert.deepEqual(await talkers({ greets: { afterMs: 20 } }), ['confirmed', 'not-observed']);
  });

  test('who spoke too early may be served until there is content: that is noticed too', async () => {
    const greets = { afterMs: 20 };
    const told = async (at: string) =>
      (await talkers({ answer: smtpAnswers(OFFERED, refusesAt(at)), greets }))[0];
    assert.equal(await told('DATA'), 'not-observed');
    assert.equal(await told('.'), 'not-observed');
    assert.equal(await told('nowhere'), 'confirmed');
  });

  test('who serves nobody, or is full, is not judged', async () => {
    const refuses = smtpAnswers(OFFERED, (line) =>
      line.startsWith('EHLO') ? '550 no\r\n' : undefined,
    );
    assert.equal((await talkers({ answer: refuses }))[0], 'inconclusive');
    assert.equal((await talkers({ greeting: '421 4.3.2 full\r\n' }))[0], 'inconclusive');
  });

  test('HELO refused behind EHLO alone is no refusal of HELO', async () => {
    const found = await audited((line, session) =>
      line.startsWith('HELO') && session.lines.some((one) => one.startsWith('EHLO'))
        ? '503 5.5.1 already identified\r\n'
        : undefined,
    );
    assert.equal(found.get('hygiene.helo-refused')?.confidence, 'not-observed');
  });

  test('names are judged with a whole recipient: a bare postmaster passes everything', async () => {
    const found = await audited((line, session) => {
      if (line.startsWith('EHLO')) return '250 mock.test\r\n';
      const odd = session.lines.some((one) => /^EHLO (?:localhost|192|not_a)/.test(one));
      if (line === 'RCPT TO:<postmaster>') return '250 2.1.5 ok\r\n';
      if (line.startsWith('RCPT')) {
        return odd ? '550 5.7.1 helo rejected\r\n' : '250 2.1.5 ok\r\n';
      }
      return undefined;
    });
    assert.equal(found.get('hygiene.helo-localhost')?.confidence, 'not-observed');
    assert.equal(found.get('hygiene.helo-syntax')?.confidence, 'not-observed');
    assert.equal(found.get('hygiene.helo-not-fqdn')?.confidence, 'confirmed');
  });

  test('VRFY that nobody may ask is switched off, one that knows no name is not', async () => {
    const off = await audited(on(/^VRFY/, '550 Administrative prohibition'));
    assert.equal(off.get('hygiene.vrfy-code')?.confidence, 'confirmed');
    const open = await audited(on(/^VRFY/, '550 5.1.1 no such user'));
    assert.equal(open.get('hygiene.vrfy-code')?.confidence, 'not-observed');
  });

  test('LMTP that takes mail, and submission without a login', async () => {
    const open = await auditMock({ greeting: '220 mock LMTP\r\n', answer: lmtp }, [
      hygiene.exposed,
    ]);
    assert.equal(open.get('exposure.lmtp')?.confidence, 'confirmed');
    const closed = await auditMock(
      {
        greeting: '220 mock LMTP\r\n',
        answer: (line) => (line.startsWith('LHLO') ? '250 x\r\n' : '530 5.7.0 no\r\n'),
      },
      [hygiene.exposed],
    );
    assert.equal(closed.get('exposure.lmtp')?.confidence, 'not-observed');
    const loose = await auditMock(submission('250 2.1.5 ok'), [hygiene.exposed]);
    assert.equal(loose.get('exposure.submission-without-login')?.confidence, 'confirmed');
    const strict = await auditMock(submission('530 5.7.0 login'), [hygiene.exposed]);
    assert.equal(strict.get('exposure.submission-without-login')?.confidence, 'not-observed');
  });
});

/** What is told of early talkers, and of the greeting's time. */
async function talkers(more: Partial<MockOptions>): Promise<readonly string[]> {
  const mock = { greeting: GREETING, answer: smtpAnswers(OFFERED, careful), ...more };
  const options = { level: 'active', domains: ['mock.test'] } as const;
  const found = await auditMock(mock, [hygiene.earlyTalker], options);
  const ids = ['hygiene.early-talker', 'hygiene.slow-greeting'];
  return ids.map((id) => found.get(id)?.confidence ?? 'not told');
}

function shown(found: ReadonlyMap<string, Finding>): string[] {
  return [...found.values()]
    .filter(({ confidence }) => confidence === 'confirmed' || confidence === 'likely')
    .map(({ id }) => id);
}
