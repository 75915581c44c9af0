/** Answers that are about the client, the sender or the hour say nothing of names, mailboxes and commands. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Finding } from '../../finding.ts';
import { auditMock, type MockOptions, smtpAnswers } from '#test/world/audit.ts';
import { helo, legacy, mailboxes, replies } from './index.ts';

type Found = ReadonlyMap<string, Finding>;

async function audited(answer: MockOptions['answer'], domains = ['mock.test']): Promise<Found> {
  const mock = { greeting: '220 mx.mock.test ESMTP\r\n', answer: smtpAnswers([], answer) };
  return auditMock(mock, [helo, legacy, mailboxes, replies], { domains });
}

const confidence = (found: Found, id: string): string | undefined => found.get(id)?.confidence;

const without =
  (domain: string): MockOptions['answer'] =>
  (line) => {
    if (!line.startsWith('RCPT')) return undefined;
    return line.includes(`<postmaster@${domain}>`)
      ? '550 5.1.1 User unknown in virtual alias table\r\n'
      : '250 2.1.5 ok\r\n';
  };

const refusing =
  (text: string): MockOptions['answer'] =>
  (line) =>
    line.startsWith('RCPT TO:<abuse@') ? `550 5.1.1 ${text}\r\n` : undefined;

const etrn =
  (answer: string): MockOptions['answer'] =>
  (line) => {
    if (!line.startsWith('ETRN')) return undefined;
    return line.startsWith('ETRN #') ? answer : '501 argument must begin with #\r\n';
  };

suite('answers that are about something else', () => {
  test('names in HELO: ours is refused as unknown, so nothing is told of others', async () => {
    const strict = await audited((line, { lines }) => {
      if (!line.startsWith('RCPT')) return undefined;
      const own = lines.includes('EHLO mock.test');
      return own ? '250 2.1.5 ok\r\n' : '450 4.7.1 <x>: Helo command rejected: Host not found\r\n';
    });
    assert.equal(confidence(strict, 'hygiene.helo-localhost'), 'inconclusive');
    assert.equal(confidence(strict, 'hygiene.helo-own-name'), 'confirmed', 'it got through');
    const client = await audited((line) =>
      line.startsWith('RCPT') ? '554 5.7.1 Client host rejected: Access denied\r\n' : undefined,
    );
    assert.equal(confidence(client, 'hygiene.helo-localhost'), 'inconclusive');
    const later = await audited((line) =>
      line.startsWith('RCPT') ? '450 4.2.0 Greylisted\r\n' : undefined,
    );
    assert.equal(confidence(later, 'hygiene.helo-localhost'), 'confirmed', 'as with a good name');
  });

  test('names in HELO: a limit of rate behind the first is none of the name', async () => {
    let left = 3;
    const found = await audited((line) => {
      if (!line.startsWith('RCPT')) return undefined;
      left -= 1;
      return left >= 0 ? '250 2.1.5 ok\r\n' : '451 too many\r\n';
    });
    assert.equal(confidence(found, 'hygiene.helo-localhost'), 'inconclusive');
  });

  test('where <> is refused, names and mailboxes are judged with another sender', async () => {
    const found = await audited((line) => {
      if (line.startsWith('MAIL FROM:<>')) return '550 5.7.1 no bounces here\r\n';
      if (line.startsWith('RCPT TO:<abuse@')) return '550 5.1.1 unknown user\r\n';
      return line.startsWith('RCPT') ? '250 2.1.5 ok\r\n' : undefined;
    });
    assert.equal(confidence(found, 'hygiene.null-sender-refused'), 'confirmed');
    assert.equal(confidence(found, 'hygiene.abuse-refused'), 'confirmed');
    assert.equal(confidence(found, 'hygiene.helo-localhost'), 'confirmed');
  });

  test('postmaster is asked for at each domain, not at the name of the server', async () => {
    const domains = ['mock.test', 'two.test', 'mx.mock.test'];
    const id = 'hygiene.postmaster-refused';
    assert.equal(confidence(await audited(without('two.test'), domains), id), 'confirmed');
    assert.equal(confidence(await audited(without('mx.mock.test'), domains), id), 'not-observed');
    assert.equal(confidence(await audited(without('else.test'), domains), id), 'not-observed');
  });

  test('a table called relay is no refusal to relay', async () => {
    const table = await audited(refusing('User unknown in relay recipient table'));
    assert.equal(confidence(table, 'hygiene.abuse-refused'), 'confirmed');
    const relay = await audited(refusing('Relay access denied'));
    assert.equal(confidence(relay, 'hygiene.abuse-refused'), 'not-observed');
  });

  test('a server that is busy is not blamed for its codes', async () => {
    const busy = await audited((line) =>
      /^(?:XYZZY|ETRN|QUIT)/.test(line) ? '451 4.7.1 Service unavailable\r\n' : undefined,
    );
    for (const id of ['hygiene.unknown-command-code', 'hygiene.quit', 'exposure.etrn']) {
      assert.equal(confidence(busy, id), 'inconclusive', id);
    }
    const soft = await audited((line) =>
      line.startsWith('XYZZY') ? '400 4.5.2 command not recognized\r\n' : undefined,
    );
    assert.equal(confidence(soft, 'hygiene.unknown-command-code'), 'confirmed');
  });

  test('ETRN that wants # is asked with it', async () => {
    assert.equal(confidence(await audited(etrn('250 OK\r\n')), 'exposure.etrn'), 'confirmed');
    const closed = await audited(etrn('550 Administrative prohibition\r\n'));
    assert.equal(confidence(closed, 'exposure.etrn'), 'not-observed');
  });
});
