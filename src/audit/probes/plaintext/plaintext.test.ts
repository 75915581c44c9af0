/** Logins in clear and weak mechanisms: planted in mocks of each protocol, beside their cured twins. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Finding } from '../../finding.ts';
import { Secret } from '#base/secret.ts';
import { auditMock, type MockOptions, smtpAnswers } from '#test/world/audit.ts';
import { accessLogin, authManners, imapLogin, mechanisms, noTls } from './index.ts';
import { ntlmNames } from './mechanisms.ts';
import { tlsCiphers } from '../tls/ciphers.ts';

type Found = ReadonlyMap<string, Finding>;

const SMTP = '220 mock.test ESMTP\r\n';
const IMAP = '* OK ready\r\n';
const POP3 = '+OK ready\r\n';
const SIEVE = '"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\nOK\r\n';

const imap = (capabilities: string, own: MockOptions['answer'] = () => undefined) =>
  ((line, session) => {
    const [tag = '', verb = ''] = line.split(' ');
    const more = own(line, session);
    if (more !== undefined) return more;
    if (verb === 'CAPABILITY') {
      const list = session.tls ? capabilities.replace(' STARTTLS LOGINDISABLED', '') : capabilities;
      return `* CAPABILITY IMAP4rev1${list}\r\n${tag} OK done\r\n`;
    }
    if (verb === 'STARTTLS')
      return capabilities.includes(verb) ? `${tag} OK go\r\n` : `${tag} BAD no\r\n`;
    return `${tag} NO [PRIVACYREQUIRED] TLS first\r\n`;
  }) satisfies MockOptions['answer'];

const confidences = (found: Found, ids: readonly string[]): unknown[] =>
  ids.map((id) => found.get(id)?.confidence);

const hide = (line: string) => (line === 'STARTTLS' ? '220 2.0.0 go\r\n' : undefined);

const refuse = (line: string) => (line === 'STARTTLS' ? '454 4.7.0 no key\r\n' : undefined);

const closedPop3 = (line: string) => (line === 'CAPA' ? '+OK\r\nUSER\r\n.\r\n' : '-ERR no\r\n');

const pop3 = (list: string, user: string, auth: string) => (line: string) => {
  if (line === 'CAPA') return `+OK\r\n${list}.\r\n`;
  if (line.startsWith('USER')) return user;
  return line.startsWith('AUTH') ? auth : '-ERR no\r\n';
};

const sieve = (line: string) => (line.startsWith('AUTH') ? '""\r\n' : 'NO "no"\r\n');

const offer = async (list: string, own: MockOptions['answer'] = () => undefined, implicit = true) =>
  auditMock({ greeting: SMTP, implicit, answer: smtpAnswers(list === '' ? [] : [list], own) }, [
    mechanisms,
  ]);

const careful = (line: string): string | undefined => {
  if (line.startsWith('AUTH X-')) return '504 5.5.4 no\r\n';
  if (line.includes('!!!')) return '501 5.5.2 no\r\n';
  if (line === '*') return '501 5.0.0 given up\r\n';
  return line.startsWith('AUTH') ? '503 5.5.1 not now\r\n' : undefined;
};

suite('TLS that is missing', () => {
  const ids = ['plaintext.no-tls', 'plaintext.starttls-broken', 'plaintext.starttls-hidden'];
  const yes = 'confirmed';
  const no = 'not-observed';

  test('none, hidden, broken and working STARTTLS are told apart', async () => {
    const none = await auditMock({ greeting: SMTP, answer: smtpAnswers([]) }, [noTls]);
    assert.deepEqual(confidences(none, ids), [yes, no, no]);
    assert.equal(none.get('plaintext.no-tls')?.severity, 'medium', 'strangers may be in clear');
    const hidden = await auditMock({ greeting: SMTP, answer: smtpAnswers([], hide) }, [noTls]);
    assert.deepEqual(confidences(hidden, ids), [no, no, yes]);
    const broken = await auditMock({ greeting: SMTP, answer: smtpAnswers(['STARTTLS'], refuse) }, [
      noTls,
    ]);
    assert.deepEqual(confidences(broken, ids), [no, yes, no]);
    const works = await auditMock({ greeting: SMTP, answer: smtpAnswers(['STARTTLS']) }, [noTls]);
    assert.deepEqual(confidences(works, ids), [no, no, no]);
  });

  test('who refuses our EHLO has not said what it offers', async () => {
    const answer = smtpAnswers([], (line) =>
      line.startsWith('EHLO') ? '550 EHLO argument does not match calling host\r\n' : undefined,
    );
    const found = await auditMock({ greeting: SMTP, answer }, [noTls]);
    assert.equal(found.get('plaintext.no-tls')?.confidence, 'inconclusive');
  });

  test('STARTTLS that works in an old or anonymous way alone is not broken', async () => {
    const answer = smtpAnswers(['STARTTLS']);
    const contexts: MockOptions['context'][] = [
      { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'aNULL@SECLEVEL=0' },
    ];
    for (const context of contexts) {
      const mock = { greeting: SMTP, answer, ...(context === undefined ? {} : { context }) };
      const found = await auditMock(mock, [noTls, tlsCiphers]);
      assert.deepEqual(confidences(found, ids), [no, no, no]);
      assert.equal(found.get('tls.no-forward-secrecy')?.confidence, no);
    }
  });

  test('IMAP, POP3 and ManageSieve without TLS are grave', async () => {
    const mocks: MockOptions[] = [
      { greeting: IMAP, answer: imap('') },
      { greeting: POP3, answer: closedPop3 },
      { greeting: SIEVE, answer: () => 'NO "no"\r\n' },
    ];
    for (const mock of mocks) {
      const found = await auditMock(mock, [noTls]);
      assert.equal(found.get('plaintext.no-tls')?.severity, 'high');
      assert.equal(found.get('plaintext.no-tls')?.confidence, yes);
    }
    const good = await auditMock({ greeting: IMAP, answer: imap(' STARTTLS LOGINDISABLED') }, [
      noTls,
    ]);
    assert.deepEqual(confidences(good, ids), [no, no, no]);
  });
});

suite('logins in clear', () => {
  const ids = [
    'plaintext.imap-logindisabled-missing',
    'plaintext.imap-login-accepted',
    'plaintext.access-auth-offered',
    'plaintext.access-auth-accepted',
    'plaintext.imap-preauth',
  ];

  test('IMAP: everything open, and everything closed', async () => {
    const open = imap(' AUTH=PLAIN', (line) => {
      const [tag = '', verb = ''] = line.split(' ');
      if (verb === 'LOGIN') return `${tag} NO [AUTHENTICATIONFAILED] no\r\n`;
      return verb === 'AUTHENTICATE' ? '+ \r\n' : undefined;
    });
    const found = await auditMock({ greeting: '* PREAUTH hi\r\n', answer: open }, [
      accessLogin,
      imapLogin,
    ]);
    for (const id of ids) assert.equal(found.get(id)?.confidence, 'confirmed', id);
    const answer = imap(' STARTTLS LOGINDISABLED');
    const closed = await auditMock({ greeting: IMAP, answer }, [accessLogin, imapLogin]);
    for (const id of ids) assert.equal(closed.get(id)?.confidence, 'not-observed', id);
  });

  test('IMAP: a refusal without a reason is likely, one that names TLS is none', async () => {
    const vague = imap('', (line) =>
      / LOGIN /.test(line) ? `${line.split(' ', 1)[0]} NO failed\r\n` : undefined,
    );
    const found = await auditMock({ greeting: IMAP, answer: vague }, [imapLogin]);
    assert.equal(found.get('plaintext.imap-login-accepted')?.confidence, 'likely');
  });

  test('IMAP: a refusal that is held back for as long as Cyrus does is waited for', async () => {
    const usual = imap('');
    const late: MockOptions['answer'] = (line, session) => {
      if (!/ LOGIN /.test(line)) return usual(line, session);
      const [tag] = line.split(' ', 1);
      setTimeout(() => session.say(`${tag} NO [AUTHENTICATIONFAILED] no\r\n`), 3_200);
      return undefined;
    };
    const found = await auditMock({ greeting: IMAP, answer: late }, [imapLogin]);
    assert.equal(found.get('plaintext.imap-login-accepted')?.confidence, 'confirmed');
  });

  test('POP3: USER and PLAIN in clear, offered and taken, and the twin', async () => {
    const names = [
      'plaintext.pop3-user-accepted',
      'plaintext.access-auth-offered',
      'plaintext.access-auth-accepted',
    ];
    const loose = pop3('USER\r\nSASL PLAIN\r\n', '+OK\r\n', '+ \r\n');
    const open = await auditMock({ greeting: POP3, answer: loose }, [accessLogin]);
    for (const id of names) assert.equal(open.get(id)?.confidence, 'confirmed', id);
    const strict = pop3('STLS\r\n', '-ERR no\r\n', '-ERR no\r\n');
    const closed = await auditMock({ greeting: POP3, answer: strict }, [accessLogin]);
    for (const id of names) assert.equal(closed.get(id)?.confidence, 'not-observed', id);
  });

  test('ManageSieve: PLAIN in clear is offered and taken', async () => {
    const open = await auditMock({ greeting: SIEVE, answer: sieve }, [accessLogin]);
    assert.equal(open.get('plaintext.access-auth-offered')?.confidence, 'confirmed');
    assert.equal(open.get('plaintext.access-auth-accepted')?.confidence, 'confirmed');
    const quiet = '"IMPLEMENTATION" "x"\r\n"SASL" ""\r\n"STARTTLS"\r\nOK\r\n';
    const closed = await auditMock({ greeting: quiet, answer: () => 'NO "no"\r\n' }, [accessLogin]);
    assert.equal(closed.get('plaintext.access-auth-offered')?.confidence, 'not-observed');
    assert.equal(closed.get('plaintext.access-auth-accepted')?.confidence, 'not-observed');
  });
});

suite('mechanisms', () => {
  const PLANTED: readonly (readonly [id: string, offered: string])[] = [
    ['plaintext.anonymous-offered', 'AUTH ANONYMOUS'],
    ['plaintext.cram-md5', 'AUTH CRAM-MD5'],
    ['plaintext.digest-md5', 'AUTH DIGEST-MD5'],
    ['plaintext.ntlm', 'AUTH NTLM'],
    ['plaintext.scram-sha-1-only', 'AUTH SCRAM-SHA-1'],
    ['plaintext.no-challenge-mechanism', 'AUTH PLAIN LOGIN'],
    ['plaintext.no-channel-binding', 'AUTH SCRAM-SHA-256 PLAIN'],
    ['plaintext.auth-equals', 'AUTH=LOGIN'],
  ];

  for (const [id, offered] of PLANTED) {
    test(`${id} is found where it is offered, and not beside good mechanisms`, async () => {
      assert.equal((await offer(offered)).get(id)?.confidence, 'confirmed');
      const good = await offer('AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN');
      assert.equal(good.get(id)?.confidence, 'not-observed');
    });
  }

  test('logins on the port for strangers', async () => {
    const id = 'plaintext.auth-on-reception';
    const found = await offer('AUTH PLAIN', undefined, false);
    assert.equal(found.get(id)?.confidence, 'confirmed');
    assert.equal((await offer('', undefined, false)).get(id)?.confidence, 'not-observed');
  });

  test('ANONYMOUS counts when it is taken, offered or not', async () => {
    const id = 'plaintext.anonymous-accepted';
    const taken = await offer('', (line) => {
      if (line === 'AUTH ANONYMOUS') return '334 \r\n';
      return line === 'YXVkaXQ=' ? '235 2.7.0 welcome\r\n' : undefined;
    });
    assert.equal(taken.get(id)?.confidence, 'confirmed');
    assert.equal((await offer('AUTH ANONYMOUS')).get(id)?.confidence, 'not-observed');
  });

  test('NTLM tells its names, a challenge without names or with lying offsets tells none', async () => {
    const challenge = type2([
      [2, 'CORP'],
      [3, 'mx.corp.test'],
    ]);
    assert.deepEqual(ntlmNames(challenge), ['CORP', 'mx.corp.test']);
    const leak = await offer('AUTH NTLM', (line) => {
      if (line === 'AUTH NTLM') return '334 \r\n';
      return line.startsWith('TlRM') ? `334 ${challenge.toString('base64')}\r\n` : undefined;
    });
    assert.equal(leak.get('plaintext.ntlm-leak')?.confidence, 'confirmed');
    assert.match(leak.get('plaintext.ntlm-leak')?.seen ?? '', /mx\.corp\.test/);
    assert.deepEqual(ntlmNames(type2([])), []);
    const target = Buffer.from('INSIDE', 'utf16le');
    const alone = Buffer.concat([type2([]), target]);
    alone.writeUInt16LE(target.length, 12);
    alone.writeUInt32LE(alone.length - target.length, 16);
    assert.deepEqual(ntlmNames(alone), ['INSIDE']);
    const lying = Buffer.from(challenge);
    lying.writeUInt32LE(0xfffffff0, 44);
    assert.deepEqual(ntlmNames(lying), []);
    assert.deepEqual(ntlmNames(Buffer.from('NTLMSSP\0')), []);
    const none = await offer('AUTH NTLM', (line) =>
      line === 'AUTH NTLM' ? '504 5.5.4 no\r\n' : undefined,
    );
    assert.equal(none.get('plaintext.ntlm-leak')?.confidence, 'not-observed');
  });
});

const manners = (own: MockOptions['answer']) =>
  auditMock(
    {
      greeting: SMTP,
      answer: smtpAnswers(['AUTH PLAIN'], (line, session) => own(line, session) ?? careful(line)),
    },
    [authManners],
  );

suite('manners of AUTH', () => {
  const PLANTED: readonly (readonly [id: string, own: MockOptions['answer']])[] = [
    [
      'hygiene.auth-unknown-mechanism',
      (line) => (line.startsWith('AUTH X-') ? '535 5.7.8 no\r\n' : undefined),
    ],
    [
      'hygiene.auth-in-transaction',
      (line, { lines }) =>
        auth(
          line,
          lines.some((one) => one.startsWith('MAIL')),
        ),
    ],
    ['hygiene.auth-bad-base64', (line) => (line.includes('!!!') ? '535 5.7.8 no\r\n' : undefined)],
    ['hygiene.auth-before-ehlo', (line, { lines }) => auth(line, lines.length === 1)],
    [
      'hygiene.auth-abort',
      (line, session) => (line === '*' ? '535 5.7.8 no\r\n' : atLast(line, session)),
    ],
  ];
  for (const [id, own] of PLANTED) {
    test(`${id} is found alone, and not in the careful twin`, async () => {
      const found = await manners(own);
      const shown = [...found.values()].filter(({ confidence }) => confidence === 'confirmed');
      assert.deepEqual(
        shown.map((one) => one.id),
        [id],
      );
      assert.equal((await manners(() => undefined)).get(id)?.confidence, 'not-observed');
    });
  }

  test('hygiene.auth-twice: a second login behind one that held, and its twin', async () => {
    const right = `AUTH PLAIN ${Buffer.from('\0ann\0s3cret-pass').toString('base64')}`;
    const account = { login: 'ann', password: new Secret('s3cret-pass') };
    for (const [again, confidence] of [
      ['334 \r\n', 'confirmed'],
      ['503 5.5.1 once is enough\r\n', 'not-observed'],
    ] as const) {
      const answer = smtpAnswers(['AUTH PLAIN'], (line, { lines }) => {
        if (line === right) return '235 2.7.0 yes\r\n';
        return lines.includes(right) && line === 'AUTH PLAIN' ? again : careful(line);
      });
      const mock = { greeting: SMTP, answer };
      const found = await auditMock(mock, [authManners], { options: { account } });
      const twice = found.get('hygiene.auth-twice');
      assert.equal(twice?.confidence, confidence, twice?.seen ?? '');
      assert.notEqual(twice?.details['applicable'], false);
    }
  });

  test('a login that is given up and answered with 501 is no fault', async () => {
    const abort = (await manners(atLast)).get('hygiene.auth-abort');
    assert.equal(abort?.confidence, 'not-observed', abort?.seen ?? '');
    assert.notEqual(abort.details['applicable'], false);
  });
});

/** Begins a login once all else was tried. */
const atLast: MockOptions['answer'] = (line, { lines }) =>
  auth(
    line,
    lines.some((one) => one.includes('!!!')),
  );

function auth(line: string, when: boolean): string | undefined {
  return when && line === 'AUTH PLAIN' ? '334 \r\n' : undefined;
}

/** A type 2 message with these names. */
function type2(fields: readonly (readonly [id: number, name: string])[]): Buffer {
  const pairs = fields.map(([id, name]) => {
    const value = Buffer.from(name, 'utf16le');
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, value]);
  });
  const info = Buffer.concat([...pairs, Buffer.alloc(4)]);
  const head = Buffer.alloc(48);
  head.write('NTLMSSP\0', 'latin1');
  head.writeUInt32LE(2, 8);
  head.writeUInt16LE(info.length, 40);
  head.writeUInt32LE(48, 44);
  return Buffer.concat([head, info]);
}
