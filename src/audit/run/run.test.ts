/** Runs: silence, exceptions and slowness of probes become `inconclusive`; targets get no more than agreed. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Check } from '../check.ts';
import { absent, found, likely, unclear } from '../finding.ts';
import type { ServiceContext, ServiceProbe } from '../probe.ts';
import { opened, smtpSession } from '../session.ts';
import {
  auditMock,
  auditPorts,
  type MockOptions,
  smtpAnswers,
  startMock,
} from '#test/world/audit.ts';
import { Secret } from '#base/secret.ts';

const MOCK: MockOptions = { greeting: '220 mock.test ESMTP\r\n', answer: smtpAnswers(['SIZE 1']) };

function check(name: string): Check {
  const id = `limits.test-${name}` as const;
  const words = { means: 'means', doesNotMean: 'not', rfc: [], cures: [] };
  return { id, title: name, severity: 'high', ...words };
}

const ONE = check('one');
const TWO = check('two');

function probe(
  run: (context: ServiceContext) => Promise<void>,
  more: Partial<ServiceProbe> = {},
): ServiceProbe {
  return {
    name: 'test',
    scope: 'service',
    level: 'safe',
    checks: [ONE, TWO],
    fits: () => true,
    run,
    ...more,
  };
}

suite('a probe', () => {
  test('that says nothing, throws, or never ends leaves its checks inconclusive with the reason', async () => {
    const silent = await auditMock(MOCK, [
      probe(async (context) => context.tell(absent(ONE, 'seen'))),
    ]);
    assert.equal(silent.get(ONE.id)?.confidence, 'not-observed');
    assert.equal(silent.get(TWO.id)?.confidence, 'inconclusive');
    assert.match(silent.get(TWO.id)?.seen ?? '', /did not say/);
    const throwing = await auditMock(MOCK, [
      probe(async (context) => {
        context.tell(found(ONE, 'seen'));
        throw new Error('broken \x1b[31m probe');
      }),
    ]);
    assert.equal(throwing.get(ONE.id)?.confidence, 'confirmed');
    assert.equal(throwing.get(TWO.id)?.confidence, 'inconclusive');
    assert.match(throwing.get(TWO.id)?.seen ?? '', /broken \\x1b\[31m probe/);
    const endless = probe(() => new Promise<void>(() => undefined), { limitMs: 30 });
    const cut = await auditMock(MOCK, [endless]);
    assert.match(cut.get(ONE.id)?.seen ?? '', /not done within 30 ms/);
  });

  test('that tells twice is held to the graver outcome', async () => {
    const both = await auditMock(MOCK, [
      probe(async (context) => {
        context.tell(absent(ONE, 'a'));
        context.tell(likely(ONE, 'b'));
        context.tell(unclear(ONE, 'c'));
        context.tell(absent(TWO, 'a'));
      }),
    ]);
    assert.equal(both.get(ONE.id)?.confidence, 'likely');
    assert.equal(both.get(ONE.id)?.seen, 'b');
  });

  test('above the level of the run is not run, chosen and skipped checks are as asked', async () => {
    const active = probe(async (context) => context.tell(found(ONE, 'x')), { level: 'active' });
    assert.equal((await auditMock(MOCK, [active])).size, 0);
    assert.equal((await auditMock(MOCK, [active], { level: 'active' })).size, 2);
  });

  test('that may take longest begins first, milder levels before it, and one to be alone last', async () => {
    const order: string[] = [];
    const named = (name: string, more: Partial<ServiceProbe>) =>
      probe(async () => void order.push(name), { name, ...more });
    const probes = [
      named('alone', { alone: true, limitMs: 9_000 }),
      named('active', { level: 'active', limitMs: 8_000 }),
      named('usual', {}),
      named('long', { limitMs: 5_000 }),
      named('longer', { limitMs: 7_000 }),
    ];
    await auditMock(MOCK, probes, { level: 'active' });
    assert.deepEqual(order, ['longer', 'long', 'usual', 'active', 'alone']);
  });

  test('cannot address a third party, nor leave a connection open', async () => {
    const server = await startMock(MOCK);
    try {
      let left = false;
      const rude = probe(async (context) => {
        const session = await smtpSession(context);
        left = true;
        session.wire.line('RCPT TO:<victim@example.com>');
      });
      const { findings } = await auditPorts([server.port], [rude]);
      assert.ok(left);
      assert.match(findings[0]?.seen ?? '', /third party/);
      assert.ok(!server.lines.some((line) => line.includes('victim')));
    } finally {
      await server.close();
    }
  });

  test('never shows the password of the account, in no form', async () => {
    const account = { login: 'alice', password: new Secret('s3cret-word') };
    const plain = Buffer.from('\0alice\0s3cret-word').toString('base64');
    const told = await auditMock(
      MOCK,
      [
        probe(async (context) => {
          const wire = await opened(context);
          wire.line(`AUTH PLAIN ${plain}`);
          wire.line('a LOGIN alice s3cret-word');
          await wire.listen(30);
          context.tell(found(ONE, 'seen'));
        }),
      ],
      { options: { account } },
    );
    const text = JSON.stringify([...told.values()]);
    assert.ok(text.includes('AUTH PLAIN'), 'the rest of the line is there');
    assert.ok(!text.includes('s3cret-word') && !text.includes(plain));
  });
});

suite('discovery', () => {
  const imap: MockOptions = {
    greeting: '* OK ready\r\n',
    answer: (line) => `* CAPABILITY IMAP4rev1 STARTTLS\r\n${line.split(' ', 1)[0]} OK done\r\n`,
  };
  const cases: readonly (readonly [MockOptions, string])[] = [
    [MOCK, 'smtp none reception'],
    [{ ...MOCK, implicit: true }, 'smtp implicit submission'],
    [
      {
        ...MOCK,
        answer: smtpAnswers(['STARTTLS'], (line) =>
          line.startsWith('MAIL') ? '530 5.7.0 login\r\n' : undefined,
        ),
      },
      'smtp starttls submission',
    ],
    [
      {
        greeting: '220 x LMTP\r\n',
        answer: (line) => (line.startsWith('LHLO') ? '250 x\r\n' : '500 no\r\n'),
      },
      'lmtp none delivery',
    ],
    [imap, 'imap starttls access'],
    [{ ...imap, implicit: true }, 'imap implicit access'],
    [{ greeting: '+OK\r\n', answer: () => '+OK\r\nSTLS\r\n.\r\n' }, 'pop3 starttls access'],
    [
      {
        greeting: '"IMPLEMENTATION" "x"\r\n"SIEVE" "fileinto"\r\nOK "hi"\r\n',
        answer: () => 'NO\r\n',
      },
      'sieve none access',
    ],
  ];

  for (const [mock, expected] of cases) {
    test(`finds ${expected} by what it says`, async () => {
      const server = await startMock(mock);
      try {
        const { services } = await auditPorts([server.port], []);
        assert.deepEqual(
          services.map(({ protocol, tls, role }) => `${protocol} ${tls} ${role}`),
          [expected],
        );
      } finally {
        await server.close();
      }
    });
  }

  test('what is no mail service is told, and is no pass', async () => {
    for (const greeting of ['220 files FTP\r\n', 'SSH-2.0-x\r\n', 'HTTP/1.1 400 no\r\n']) {
      const told = await auditMock({ greeting, answer: () => '500 no\r\n' }, []);
      assert.equal(told.get('exposure.unidentified-service')?.confidence, 'inconclusive', greeting);
      assert.equal(told.get('exposure.nothing-answers')?.confidence, 'inconclusive', greeting);
    }
  });
});
