/** Injection at STARTTLS: every kind of server in every protocol, each told from its careful twin. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startTlsAgain, startTlsInjection } from '#audit/probes/injection/index.ts';
import { auditMock, type Behind, type MockOptions, smtpAnswers } from '../world/audit.ts';

type Answer = MockOptions['answer'];
type Mock = Omit<MockOptions, 'behind'>;

const IDS = [
  'injection.starttls-command',
  'injection.starttls-segments',
  'injection.starttls-partial-line',
  'injection.starttls-silent',
  'injection.starttls-clear-answer',
] as const;
type Id = (typeof IDS)[number];

/** What each kind of server must be found to have; nothing else. */
const TRUTH: Readonly<Record<Behind, readonly Id[]>> = {
  drop: [],
  refuse: [],
  execute: [
    'injection.starttls-command',
    'injection.starttls-segments',
    'injection.starttls-partial-line',
  ],
  late: ['injection.starttls-segments'],
  part: ['injection.starttls-partial-line'],
  silent: ['injection.starttls-silent'],
  clear: ['injection.starttls-clear-answer'],
};

const smtp: Answer = smtpAnswers(['STARTTLS'], (line, session) => {
  if (line === 'QUIT') return bye(session, '221 2.0.0 bye\r\n');
  if (!line.startsWith('RCPT')) return undefined;
  const begun = session.lines.some((one) => one.startsWith('MAIL'));
  return begun ? '550 5.7.1 relay not permitted\r\n' : '503 5.5.1 MAIL first\r\n';
});

const imap: Answer = (line, session) => {
  const [tag = '', verb = ''] = line.split(' ');
  if (verb === 'CAPABILITY') {
    return `* CAPABILITY IMAP4rev1${session.tls ? '' : ' STARTTLS LOGINDISABLED'}\r\n${tag} OK done\r\n`;
  }
  if (verb === 'STARTTLS') return session.tls ? `${tag} BAD not now\r\n` : `${tag} OK go\r\n`;
  if (verb === 'LOGOUT') return bye(session, `* BYE bye\r\n${tag} OK done\r\n`);
  return verb === 'NOOP' ? `${tag} OK done\r\n` : `${tag} BAD what\r\n`;
};

const pop3: Answer = (line, session) => {
  if (line === 'CAPA') return `+OK\r\n${session.tls ? '' : 'STLS\r\n'}UIDL\r\n.\r\n`;
  if (line === 'STLS') return session.tls ? '-ERR not now\r\n' : '+OK go\r\n';
  return line === 'QUIT' ? bye(session, '+OK bye\r\n') : '-ERR what\r\n';
};

const sieve: Answer = (line, session) => {
  if (line === 'CAPABILITY') return '"SIEVE" ""\r\nOK\r\n';
  if (line === 'STARTTLS') return session.tls ? 'NO "not now"\r\n' : 'OK\r\n';
  if (line.startsWith('NOOP')) return 'OK (TAG "i1") "done"\r\n';
  return line === 'LOGOUT' ? bye(session, 'OK\r\n') : 'NO "what"\r\n';
};

const MOCKS: Readonly<Record<string, Mock>> = {
  smtp: { greeting: '220 mock.test ESMTP\r\n', answer: smtp },
  imap: { greeting: '* OK ready\r\n', answer: imap },
  pop3: { greeting: '+OK ready\r\n', answer: pop3 },
  sieve: {
    greeting: '"IMPLEMENTATION" "x"\r\n"SASL" ""\r\n"STARTTLS"\r\nOK\r\n',
    greetAgain: '"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\nOK\r\n',
    answer: sieve,
  },
};

function bye(session: Parameters<Answer>[1], text: string): undefined {
  session.say(text);
  session.end();
}

const strict: Answer = (line, session) => {
  const late = session.tls || session.lines.some((one) => one.startsWith('MAIL'));
  return line === 'STARTTLS' && late ? '503 5.5.1 not now\r\n' : smtp(line, session);
};

const broken: Answer = (line, session) =>
  line === 'STARTTLS' ? '454 no\r\n' : smtp(line, session);

const again: Answer = (line, session) => (line === 'STARTTLS' ? '220 go\r\n' : smtp(line, session));

for (const [protocol, mock] of Object.entries(MOCKS)) {
  suite(`injection at STARTTLS, ${protocol}`, () => {
    for (const [behind, truth] of Object.entries(TRUTH)) {
      test(`a server that would ${behind} is told as such, three times`, async () => {
        for (let round = 0; round < 3; round += 1) {
          const found = await auditMock({ ...mock, behind: behind as Behind }, [startTlsInjection]);
          for (const id of IDS) {
            const finding = found.get(id);
            const expected = truth.includes(id) ? 'confirmed' : 'not-observed';
            assert.equal(finding?.confidence, expected, `${id}: ${finding?.seen}`);
          }
        }
      });
    }
  });
}

test('each protocol takes under a second, discovery left out', async () => {
  for (const [protocol, mock] of Object.entries(MOCKS)) {
    const bare = performance.now();
    await auditMock({ ...mock, behind: 'execute' }, []);
    const start = performance.now();
    await auditMock({ ...mock, behind: 'execute' }, [startTlsInjection]);
    const ms = performance.now() - start - (start - bare);
    assert.ok(ms < 1_000, `${protocol}: ${ms.toFixed(0)} ms`);
  }
});

test('injection.starttls-command has its controls and its octets', async () => {
  const found = await auditMock({ ...MOCKS['imap']!, behind: 'execute' }, [startTlsInjection]);
  const finding = found.get('injection.starttls-command');
  assert.deepEqual(finding?.controls.sanity, { passed: 2, of: 2 });
  assert.deepEqual(finding?.controls.positive, { passed: 1, of: 1 });
  assert.match(JSON.stringify(finding?.evidence), /s1 STARTTLS\\\\r\\\\ni1 NOOP/);
});

suite('STARTTLS where it must not be', () => {
  test('a second one under TLS, and one within a transaction, are found; twins have neither', async () => {
    const found = await auditMock({ ...MOCKS['smtp']!, answer: again }, [startTlsAgain]);
    assert.equal(found.get('injection.starttls-twice')?.confidence, 'confirmed');
    assert.equal(found.get('injection.starttls-in-transaction')?.confidence, 'confirmed');
    const twin = await auditMock({ ...MOCKS['smtp']!, answer: strict }, [startTlsAgain]);
    assert.equal(twin.get('injection.starttls-twice')?.confidence, 'not-observed');
    assert.equal(twin.get('injection.starttls-in-transaction')?.confidence, 'not-observed');
  });

  test('IMAP, POP3 and ManageSieve: a second one is found too', async () => {
    for (const [name, yes] of [
      ['imap', 's1 OK go'],
      ['pop3', '+OK go'],
      ['sieve', 'OK'],
    ] as const) {
      const mock = MOCKS[name]!;
      const answer: Answer = (line, session) =>
        /(?:STARTTLS|STLS)$/.test(line) ? `${yes}\r\n` : mock.answer(line, session);
      const found = await auditMock({ ...mock, answer }, [startTlsAgain]);
      assert.equal(found.get('injection.starttls-twice')?.confidence, 'confirmed', name);
      const twin = await auditMock(mock, [startTlsAgain]);
      assert.equal(twin.get('injection.starttls-twice')?.confidence, 'not-observed', name);
    }
  });
});

suite('servers with which nothing can be told', () => {
  test('a server that is full for a while is asked again', async () => {
    const mock = { ...MOCKS['smtp']!, behind: 'execute', fullFor: 3 } as const;
    const found = await auditMock(mock, [startTlsInjection]);
    assert.equal(found.get('injection.starttls-command')?.confidence, 'confirmed');
  });

  test('STARTTLS that fails, and answers that change, are inconclusive with the reason', async () => {
    const found = await auditMock({ ...MOCKS['smtp']!, answer: broken }, [startTlsInjection]);
    assert.equal(found.get('injection.starttls-command')?.confidence, 'inconclusive');
    assert.match(found.get('injection.starttls-command')?.seen ?? '', /454/);
    let count = 0;
    const moody: Answer = (line, session) => {
      if (!session.tls || !line.startsWith('EHLO')) return smtp(line, session);
      count += 1;
      return count % 2 === 0 ? '250 one\r\n' : '250-one\r\n250 two\r\n';
    };
    const other = await auditMock({ ...MOCKS['smtp']!, answer: moody }, [startTlsInjection]);
    assert.equal(other.get('injection.starttls-command')?.confidence, 'inconclusive');
    assert.match(other.get('injection.starttls-command')?.seen ?? '', /answered differently/);
  });
});
