/** Wrong passwords: answered for ever, or until the server has enough of them. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Finding } from '../../finding.ts';
import { auditMock, type MockOptions, smtpAnswers } from '#test/world/audit.ts';
import { loginFailures } from './index.ts';

const ID = 'limits.login-no-delay';

async function judged(
  greeting: string,
  answer: MockOptions['answer'],
): Promise<Finding | undefined> {
  const found = await auditMock({ greeting, answer }, [loginFailures], { level: 'active' });
  return found.get(ID);
}

const failed = (line: string): boolean => line === 'AUTH PLAIN';

/** Logins that fail, after `limit` of them the end. */
const smtp = (limit: number): MockOptions['answer'] => {
  return smtpAnswers(['AUTH PLAIN'], (line, { lines, end }) => {
    if (failed(line)) return '334 \r\n';
    if (!failed(lines.at(-2) ?? '')) return undefined;
    if (lines.filter(failed).length < limit) return '535 5.7.8 wrong\r\n';
    end();
    return '421 4.7.0 enough\r\n';
  });
};

const imap = (limit: number): MockOptions['answer'] => {
  return (line, { lines, end }) => {
    const [tag = '', word = ''] = line.split(' ');
    if (word === 'CAPABILITY') return `* CAPABILITY IMAP4rev1\r\n${tag} OK done\r\n`;
    if (word !== 'LOGIN') return `${tag} OK done\r\n`;
    if (lines.filter((one) => one.includes(' LOGIN ')).length < limit) return `${tag} NO wrong\r\n`;
    end();
    return '* BYE enough\r\n';
  };
};

const pop3 = (limit: number): MockOptions['answer'] => {
  return (line, { lines, end }) => {
    if (line.startsWith('CAPA')) return '+OK\r\nUSER\r\n.\r\n';
    if (!line.startsWith('PASS')) return '+OK\r\n';
    if (lines.filter((one) => one.startsWith('PASS')).length < limit) return '-ERR wrong\r\n';
    end();
    return '';
  };
};

suite('login failures', () => {
  for (const [protocol, greeting, answers] of [
    ['smtp', '220 mock.test ESMTP\r\n', smtp],
    ['imap', '* OK [CAPABILITY IMAP4rev1] ready\r\n', imap],
    ['pop3', '+OK ready\r\n', pop3],
  ] as const) {
    test(`${protocol}: eight wrong passwords are answered, or the third is the last`, async () => {
      const free = await judged(greeting, answers(1_000));
      assert.equal(free?.confidence, 'confirmed', free?.seen ?? protocol);
      const strict = await judged(greeting, answers(3));
      assert.equal(strict?.confidence, 'not-observed', strict?.seen ?? protocol);
      assert.notEqual(strict?.details['applicable'], false);
    });
  }

  test('where nobody can log in there is nothing to try', async () => {
    const none = await judged('220 mock.test ESMTP\r\n', smtpAnswers(['PIPELINING']));
    assert.equal(none?.details['applicable'], false);
    const closed = await judged('220 mock.test ESMTP\r\n', smtp(1));
    assert.equal(closed?.confidence, 'inconclusive', 'the first wrong password was one too many');
  });
});
