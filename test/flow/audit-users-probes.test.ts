/** Probes of users: each way of telling planted alone is found, and only that one. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { auditMock, type MockAudit, type MockOptions, smtpAnswers } from '../world/audit.ts';
import * as probes from '#audit/probes/users/index.ts';

const PROBES = Object.values(probes);
const KEYWORDS = ['PIPELINING', 'AUTH PLAIN'];
const KNOWN = 'ann';

async function told(mock: MockOptions, options: MockAudit = {}): Promise<string[]> {
  const findings = await auditMock(mock, PROBES, {
    level: 'active',
    domains: ['own.test'],
    ...options,
    options: { knownUser: KNOWN, names: ['zoe', 'max', KNOWN], ...options.options },
  });
  return [...findings.values()]
    .filter(({ confidence }) => confidence === 'confirmed' || confidence === 'likely')
    .map(({ id }) => id)
    .toSorted();
}

function smtp(more: (line: string) => string | undefined): MockOptions {
  const answer = smtpAnswers(KEYWORDS, (line) => {
    const own = more(line);
    if (own !== undefined) return own;
    return line.startsWith('AUTH') ? '535 5.7.8 no\r\n' : undefined;
  });
  return { greeting: '220 mock.test ESMTP\r\n', answer };
}

function withName(line: string): boolean {
  return /(?:^|[ <"])ann(?:@own\.test|["> ]|$)/.test(line);
}

/** What RCPT is said to tell where MAIL is answered so. */
async function rcptOf(mail: string): Promise<string | undefined> {
  const mock = smtp((line) => (line.startsWith('MAIL') ? mail : undefined));
  const findings = await auditMock(mock, [probes.toldAtRcpt], { domains: ['own.test'] });
  return findings.get('users.rcpt')?.confidence;
}

const submission = (vrfy: string): MockOptions => ({
  ...smtp((line) => {
    if (line.startsWith('MAIL')) return '530 5.7.0 log in first\r\n';
    if (!line.startsWith('VRFY')) return undefined;
    return withName(line) ? '252 2.0.0 ok\r\n' : vrfy;
  }),
  implicit: true,
});

describe('users in the auditor', () => {
  it('a server that tells nothing shows nothing', async () => {
    assert.deepEqual(await told(smtp(() => undefined)), []);
  });

  it('users.vrfy: at a port for users, where the port for strangers is careful', async () => {
    assert.deepEqual(await told(submission('550 5.1.1 unknown\r\n')), ['users.vrfy']);
    assert.deepEqual(await told(submission('252 2.0.0 ok\r\n')), []);
  });

  it('users.rcpt: who must log in before MAIL is told nothing; any other refusal leaves it open', async () => {
    assert.equal(await rcptOf('530 5.7.0 log in first\r\n'), 'not-observed');
    assert.equal(await rcptOf('550 5.7.1 you are listed\r\n'), 'inconclusive');
  });

  it('users.vrfy: 252 for one and 550 for the others', async () => {
    const mock = smtp((line) => {
      if (!line.startsWith('VRFY')) return undefined;
      return withName(line) ? '252 2.0.0 ok\r\n' : '550 5.1.1 unknown\r\n';
    });
    assert.deepEqual(await told(mock), ['users.vrfy']);
  });

  it('users.expn', async () => {
    const mock = smtp((line) =>
      line.startsWith('EXPN') && withName(line) ? '250 2.1.5 <ann@own.test>\r\n' : undefined,
    );
    assert.deepEqual(await told(mock), ['users.expn']);
  });

  it('users.rcpt', async () => {
    const mock = smtp((line) => {
      if (!line.startsWith('RCPT')) return undefined;
      return withName(line) ? '250 2.1.5 ok\r\n' : '550 5.1.1 unknown\r\n';
    });
    assert.deepEqual(await told(mock), ['users.rcpt']);
  });

  it('users.login-smtp: other words for a login that is known', async () => {
    let login = '';
    const mock = smtp((line) => {
      if (line === 'AUTH PLAIN') return '334 \r\n';
      const plain = Buffer.from(line, 'base64').toString('latin1').split('\0');
      if (plain.length !== 3) return undefined;
      login = plain[1] ?? '';
      return login === KNOWN ? '535 5.7.8 wrong password\r\n' : '535 5.7.8 no such user\r\n';
    });
    assert.deepEqual(await told(mock), ['users.login-smtp']);
  });

  it('users.login-imap', async () => {
    const greeting = '* OK [CAPABILITY IMAP4rev1] ready\r\n';
    assert.deepEqual(await told({ greeting, answer: imapAnswer }), ['users.login-imap']);
    const same = (line: string): string =>
      line.includes('LOGIN') ? `${line.split(' ', 1)[0]} NO failed\r\n` : imapAnswer(line);
    assert.deepEqual(await told({ greeting, answer: same }), []);
  });

  it('users.login-pop3', async () => {
    assert.deepEqual(await told({ greeting: '+OK ready\r\n', answer: pop3Answer }), [
      'users.login-pop3',
    ]);
  });

  describe('users.scram', () => {
    for (const [what, salts, confidence] of [
      ['a made-up salt that is another one each time', { nobody: 'random' }, 'confirmed'],
      ['one made-up salt for all', { nobody: 'shared' }, 'confirmed'],
      ['a made-up salt that is hashed less often', { nobody: 'stable', turns: 4096 }, 'confirmed'],
      ['names that nobody has are refused at once', { nobody: 'refused' }, 'confirmed'],
      ['a made-up salt that stays', { nobody: 'stable' }, 'not-observed'],
      ['random salts for all', { nobody: 'random', ann: 'random' }, 'not-observed'],
      ['SCRAM for nobody', { nobody: 'refused', ann: 'refused' }, 'not-observed'],
    ] as const) {
      it(what, async () => {
        const findings = await auditMock(scram(salts), [probes.scramChallenge], {
          level: 'active',
          options: { knownUser: KNOWN },
        });
        assert.equal(findings.get('users.scram')?.confidence, confidence);
      });
    }

    it('logins that are held back tell nothing', async () => {
      const answer = smtpAnswers(['AUTH SCRAM-SHA-256'], (line) =>
        line.startsWith('AUTH SCRAM') ? '454 4.7.0 too many failed logins, 7 s\r\n' : undefined,
      );
      const findings = await auditMock(
        { greeting: '220 mock.test ESMTP\r\n', answer },
        [probes.scramChallenge],
        {
          level: 'active',
          options: { knownUser: KNOWN },
        },
      );
      assert.equal(findings.get('users.scram')?.confidence, 'inconclusive');
    });

    it('without a login that is there it cannot be told, but where salts stay', async () => {
      for (const [nobody, confidence] of [
        ['random', 'inconclusive'],
        ['refused', 'inconclusive'],
        ['stable', 'not-observed'],
      ] as const) {
        const findings = await auditMock(scram({ nobody }), [probes.scramChallenge], {
          level: 'active',
        });
        assert.equal(findings.get('users.scram')?.confidence, confidence, nobody);
      }
    });
  });

  it('users.timing is tried at level intrusive alone, and needs a name that exists', async () => {
    const findings = await auditMock(
      smtp(() => undefined),
      [probes.toldByTime],
      {
        level: 'intrusive',
      },
    );
    const finding = findings.get('users.timing');
    assert.equal(finding?.confidence, 'not-observed');
    assert.match(finding?.seen ?? '', /no name that exists/);
  });
});

function imapAnswer(line: string): string {
  const [tag = ''] = line.split(' ', 1);
  if (line.includes('CAPABILITY')) return `* CAPABILITY IMAP4rev1\r\n${tag} OK done\r\n`;
  if (!line.includes('LOGIN')) return `${tag} OK done\r\n`;
  return `${tag} NO ${withName(line) ? 'wrong password' : 'unknown user'}\r\n`;
}

function pop3Answer(line: string): string {
  if (line.startsWith('CAPA')) return '+OK\r\nUSER\r\n.\r\n';
  if (line.startsWith('USER')) return withName(line) ? '+OK go on\r\n' : '-ERR no such user\r\n';
  return line.startsWith('PASS') ? '-ERR wrong\r\n' : '+OK\r\n';
}

type Salts = 'random' | 'shared' | 'stable' | 'refused';

/** SCRAM up to the first challenge: how salts of nobody, and of ann, are made. */
function scram(as: { nobody: Salts; ann?: Salts; turns?: number }): MockOptions {
  let count = 0;
  const salt = (kind: Salts, login: string): string => {
    count += 1;
    const of = { random: `${count}`, shared: 'all', stable: login, refused: '' }[kind];
    return createHash('sha256').update(of).digest().subarray(0, 16).toString('base64');
  };
  const answer = smtpAnswers(['AUTH SCRAM-SHA-256 PLAIN'], (line) => {
    if (line === 'AUTH SCRAM-SHA-256') return '334 \r\n';
    const text = Buffer.from(line, 'base64').toString();
    const [, login = '', nonce = ''] = /^n,,n=([^,]*),r=(.*)$/.exec(text) ?? [];
    if (login === '') return line === '*' ? '501 5.7.0 given up\r\n' : undefined;
    const kind = login === KNOWN ? (as.ann ?? 'stable') : as.nobody;
    if (kind === 'refused') return '535 5.7.8 no\r\n';
    const turns = login === KNOWN ? 10_000 : (as.turns ?? 10_000);
    const first = `r=${nonce}server,s=${salt(kind, login)},i=${turns}`;
    return `334 ${Buffer.from(first).toString('base64')}\r\n`;
  });
  return { greeting: '220 mock.test ESMTP\r\n', answer };
}
