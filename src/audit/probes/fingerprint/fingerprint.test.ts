/** Who answers: recorded answers of real servers with masked banners, mixtures, and nobody known. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Protocol } from '../../finding.ts';
import { auditMock, smtpAnswers } from '#test/world/audit.ts';
import { type Answers, identify, systemIn, versionIn } from './identify.ts';
import { names, product, tlsDifference } from './index.ts';
import type { Question } from './signatures.ts';

type Recorded = Partial<Record<Question, string>>;

/** Answers as these servers gave them, the banner masked. */
const RECORDED: readonly [product: string, protocol: Protocol, Recorded][] = [
  [
    'postfix',
    'smtp',
    {
      greeting: 'x ESMTP',
      unknown: '500 5.5.2 Error: command not recognized',
      sequence: '503 5.5.1 Error: need MAIL command',
      noop: '250 2.0.0 Ok',
    },
  ],
  [
    'exim',
    'smtp',
    {
      greeting: 'x ESMTP',
      unknown: '500 unrecognized command',
      sequence: '503 sender not yet given',
      reset: '250 Reset OK',
    },
  ],
  [
    'opensmtpd',
    'smtp',
    {
      greeting: 'x ESMTP',
      unknown: '500 5.5.1 Invalid command: Command unrecognized',
      sequence: '503 5.5.1 Invalid command: Command not allowed at this point.',
    },
  ],
  [
    'sendmail',
    'smtp',
    {
      greeting: 'x ESMTP',
      unknown: '500 5.5.1 Command unrecognized: "XYZZY"',
      sequence: '503 5.0.0 Need MAIL before RCPT',
    },
  ],
  [
    'courier',
    'smtp',
    { greeting: 'x ESMTP', unknown: '502 ESMTP command error', vrfy: '252 VRFY disabled' },
  ],
  [
    'aiosmtpd',
    'smtp',
    {
      greeting: 'x ESMTP',
      help: '250 Supported commands: AUTH DATA EHLO HELO HELP MAIL NOOP QUIT RCPT RSET VRFY',
      unknown: '500 Error: command "XYZZY" not recognized',
      vrfy: '252 Cannot VRFY user, but will accept message and attempt delivery to postmaster',
    },
  ],
  [
    'python-smtpd',
    'smtp',
    {
      greeting: 'vm Python SMTP proxy version 0.3',
      help: '250 Supported commands: EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY',
      unknown: '500 Error: command "XYZZY" not recognized',
      vrfy: '252 Cannot VRFY user, but will accept message and attempt delivery to postmaster',
      goodbye: '221 Bye',
    },
  ],
  [
    'smtp-server',
    'smtp',
    {
      greeting: 'x ESMTP',
      hello: 'x Nice to meet you, audit.invalid',
      reset: '250 Flushed',
      vrfy: '252 Try to send something. No promises though',
    },
  ],
  [
    'dovecot',
    'imap',
    {
      greeting: 'ready',
      unknown: 'BAD Error in IMAP command received by server.',
      goodbye: '* BYE Logging out / OK Logout completed (0.001 + 0.000 secs).',
    },
  ],
  [
    'dovecot',
    'pop3',
    { greeting: '+OK ready', unknown: '-ERR Unknown command.', goodbye: '+OK Logging out' },
  ],
  [
    'courier',
    'imap',
    {
      greeting: '[CAPABILITY IMAP4rev1] Courier-IMAP ready.',
      unknown: 'NO Error in IMAP command received by server.',
    },
  ],
  [
    'cyrus',
    'imap',
    { greeting: 'x Cyrus IMAP 3.6.1-Debian server ready', goodbye: '* BYE LOGOUT received' },
  ],
  [
    'postern',
    'smtp',
    {
      greeting: 'x ESMTP',
      unknown: '500 5.5.1 Unknown command',
      sequence: '503 5.5.1 MAIL comes first',
    },
  ],
];

const answersOf = (recorded: Recorded): Answers =>
  new Map(Object.entries(recorded) as [Question, string][]);

suite('identify', () => {
  for (const [expected, protocol, recorded] of RECORDED) {
    test(`${expected} (${protocol}) is known with a masked banner`, () => {
      const identity = identify(protocol, answersOf(recorded));
      assert.equal(identity.kind === 'known' && identity.product, expected);
    });
  }

  test('answers of nobody, of two at once, and a banner that lies are unknown', () => {
    const nobody = answersOf({ unknown: '500 what', noop: '250 2.0.0 Ok', greeting: 'x ESMTP' });
    assert.equal(identify('smtp', nobody).kind, 'unknown');
    const mixed = answersOf({
      unknown: '500 5.5.2 Error: command not recognized',
      sequence: '503 sender not yet given',
    });
    assert.equal(identify('smtp', mixed).kind, 'unknown');
    const lying = answersOf({ greeting: 'x ESMTP Exim 4.96', unknown: '502 ESMTP command error' });
    assert.equal(identify('smtp', lying).kind, 'unknown');
  });

  test('a banner alone is likely, never confirmed', () => {
    const identity = identify('smtp', answersOf({ greeting: 'x ESMTP Postfix (Debian/GNU)' }));
    assert.equal(identity.kind === 'known' && identity.confidence, 'likely');
  });

  test('versions are read behind names only', () => {
    const cases: readonly [string, string | undefined][] = [
      ['mx ESMTP Exim 4.96 Sun, 22 Nov 2026', '4.96'],
      ['mx ESMTP Postfix (3.7.11)', '3.7.11'],
      ['mx ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2', '8.17.1.9'],
      ['mx Python SMTP 1.4.3', '1.4.3'],
      ['ID ("name" "Dovecot" "version" "2.3.19.1")', '2.3.19.1'],
      ['x Cyrus IMAP 3.6.1-Debian-3.6.1-4 server ready', '3.6.1-Debian-3.6.1-4'],
      ['IMPLEMENTATION Dovecot Pigeonhole', undefined],
      ['mx.10.1.2.3 ESMTP', undefined],
      ['[192.0.2.1] Hello', undefined],
      ['enhanced 2.0.0 Ok', undefined],
      ['Postfix '.repeat(100_000), undefined],
    ];
    for (const [text, version] of cases) assert.equal(versionIn(text), version, text.slice(0, 60));
    assert.equal(systemIn('ESMTP Postfix (Debian/GNU)'), 'Debian');
    assert.equal(systemIn('ESMTP ready'), undefined);
    assert.equal(systemIn('214 To report bugs send mail to bugs@openbsd.org'), undefined);
    assert.equal(systemIn('see www.debian.org or https://freebsd.org/'), undefined);
  });
});

const pop3 = (implementation: string) => (line: string) => {
  if (line === 'CAPA') return `+OK\r\nUSER\r\n${implementation}.\r\n`;
  return line === 'QUIT' ? '+OK bye\r\n' : '-ERR no\r\n';
};

const imap = (id: string) => (line: string) => {
  const [tag = '', verb = ''] = line.split(' ');
  if (verb === 'CAPABILITY') return `* CAPABILITY IMAP4rev1 ID\r\n${tag} OK done\r\n`;
  if (verb === 'ID') return `* ID ${id}\r\n${tag} OK done\r\n`;
  return verb === 'LOGOUT' ? `* BYE\r\n${tag} OK bye\r\n` : `${tag} BAD what\r\n`;
};

suite('probes', () => {
  test('planted names, versions and systems are found, the masked twin shows none', async () => {
    const answer = smtpAnswers(['PIPELINING'], (line) => {
      if (line === 'HELP')
        return '214-2.0.0 This is sendmail version 8.17.1.9\r\n214 2.0.0 end\r\n';
      return undefined;
    });
    const greeting = '220 mx.corp.local ESMTP Exim 4.96 Debian\r\n';
    const found = await auditMock({ greeting, answer }, [product, names]);
    const loud = [
      'fingerprint.greeting-version',
      'fingerprint.help-version',
      'fingerprint.system',
      'fingerprint.greeting-product',
      'fingerprint.internal-name',
      'hygiene.ehlo-name-differs',
    ];
    for (const id of loud) assert.equal(found.get(id)?.confidence, 'confirmed', id);
    assert.equal(
      found.get('fingerprint.product')?.confidence,
      'not-observed',
      'banner and HELP differ',
    );
    const quiet = await auditMock(
      { greeting: '220 mock.test ESMTP\r\n', answer: smtpAnswers(['PIPELINING']) },
      [product, names],
    );
    for (const id of [...loud, 'hygiene.greeting-name']) {
      assert.equal(quiet.get(id)?.confidence, 'not-observed', id);
    }
    const bare = await auditMock({ greeting: '220 mailhost ESMTP\r\n', answer: smtpAnswers([]) }, [
      names,
    ]);
    assert.equal(bare.get('hygiene.greeting-name')?.confidence, 'confirmed');
  });

  test('POP3: the APOP challenge, IMPLEMENTATION with a version', async () => {
    const loud = await auditMock(
      {
        greeting: '+OK ready <1896.697170952@mock.test>\r\n',
        answer: pop3('IMPLEMENTATION Cyrus POP3 3.6.1\r\n'),
      },
      [product, names],
    );
    assert.equal(loud.get('fingerprint.apop-process')?.confidence, 'confirmed');
    assert.equal(loud.get('fingerprint.capability-version')?.confidence, 'confirmed');
    const quiet = await auditMock({ greeting: '+OK ready\r\n', answer: pop3('') }, [
      product,
      names,
    ]);
    assert.equal(quiet.get('fingerprint.apop-process')?.confidence, 'not-observed');
    assert.equal(quiet.get('fingerprint.capability-version')?.confidence, 'not-observed');
  });

  test('IMAP: ID tells a version before login', async () => {
    const greeting = '* OK ready\r\n';
    const loud = await auditMock(
      { greeting, answer: imap('("name" "Dovecot" "version" "2.3.19")') },
      [product],
    );
    assert.equal(loud.get('fingerprint.id-version')?.confidence, 'confirmed');
    const quiet = await auditMock({ greeting, answer: imap('("name" "x")') }, [product]);
    assert.equal(quiet.get('fingerprint.id-version')?.confidence, 'not-observed');
  });

  test('what differs under TLS: a lost keyword, STARTTLS again, a session that is kept', async () => {
    const greeting = '220 mock.test ESMTP\r\n';
    const broken = smtpAnswers(['STARTTLS', 'SIZE 1'], (line, { tls }) => {
      if (line.startsWith('EHLO') && tls) return '250-mock.test\r\n250-STARTTLS\r\n250 TURN\r\n';
      return line.startsWith('RCPT') && tls ? '250 2.1.5 ok\r\n' : undefined;
    });
    const found = await auditMock({ greeting, answer: broken }, [tlsDifference]);
    const ids = [
      'fingerprint.capabilities-differ',
      'plaintext.starttls-offered-again',
      'plaintext.starttls-state-kept',
    ];
    for (const id of ids) assert.equal(found.get(id)?.confidence, 'confirmed', id);
    const good = smtpAnswers(['STARTTLS', 'SIZE 1'], (line, { tls }) =>
      line.startsWith('RCPT') && tls ? '503 5.5.1 MAIL first\r\n' : undefined,
    );
    const none = await auditMock({ greeting, answer: good }, [tlsDifference]);
    for (const id of ids) assert.equal(none.get(id)?.confidence, 'not-observed', id);
  });
});
