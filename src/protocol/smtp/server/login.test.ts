/** Logins over SMTP with a real client: SCRAM to its end, and failures that nobody stays to hear. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import { decodeBase64, encodeBase64 } from '../../sasl/base64.ts';
import { chooseSaslClient } from '../../sasl/client.ts';
import { scramKeys } from '../../sasl/scram.ts';
import { openHost, Session, TEST_TLS, type TestHost } from './transcript.test.ts';

const KEYS = scramKeys('pencil', utf8('0123456789abcdef'), 4096)!;

const host: TestHost = (question, server) => {
  if (question.kind !== 'sasl' || question.question.kind !== 'scram')
    return openHost(question, server);
  const known = question.question.login === 'alice';
  const identity = known ? { account: 1 as AccountId, address: 'alice@mx.test' } : undefined;
  return { kind: 'sasl', answer: { kind: 'scram', identity, ...KEYS } };
};

/** Logs in as a client would; with `initial`, the first response goes along with the command. */
function login(name: string, password: string, initial: boolean, nonce: string): Session {
  const session = new Session({ mode: 'submission' }, host, TEST_TLS);
  session.receive('EHLO x\r\n');
  const client = chooseSaslClient(['SCRAM-SHA-256', 'PLAIN'], {
    credentials: { login: name, password: new Secret(password) },
    secure: TEST_TLS,
    nonce: utf8(nonce),
  })!;
  const along = initial ? ` ${encodeBase64(client.initial!)}` : '';
  session.receive(`AUTH ${client.mechanism}${along}\r\n`);
  for (let turn = 0; turn < 5; turn++) {
    const challenge = /(?:^|\n)334 ([^\r]*)\r\n$/.exec(session.sent)?.[1];
    if (challenge === undefined) break;
    const reaction = client.respond(decodeBase64(challenge)!);
    session.receive(reaction.kind === 'abort' ? '*\r\n' : `${encodeBase64(reaction.bytes)}\r\n`);
  }
  return session;
}

describe('SCRAM over SMTP', () => {
  for (const initial of [true, false]) {
    it(`succeeds ${initial ? 'with' : 'without'} an initial response`, () => {
      const session = login('alice', 'pencil', initial, 'client-nonce-client-nonce');
      assert.match(session.sent, /235 2\.7\.0 [^\n]*\r\n$/);
      assert.equal(session.server.session.authenticated?.mechanism, 'SCRAM-SHA-256');
    });
  }

  it('does not cut a challenge that is longer than a line of text', () => {
    const session = login('alice', 'pencil', true, 'n'.repeat(380));
    assert.match(session.sent, /334 [^\r]{481,}\r\n/);
    assert.match(session.sent, /235 2\.7\.0 [^\n]*\r\n$/);
  });

  for (const [name, password] of [
    ['alice', 'wrong'],
    ['nobody', 'pencil'],
  ] as const) {
    it(`fails for ${name} with ${password}, told once although the client gives up`, () => {
      const session = login(name, password, true, 'client-nonce-client-nonce');
      assert.match(session.sent, /535 5\.7\.8 [^\n]*\r\n$/);
      const failed = session.facts.filter((one) => one.kind === 'login-failed');
      assert.deepEqual(failed, [{ kind: 'login-failed', mechanism: 'SCRAM-SHA-256', login: name }]);
      assert.equal(session.server.session.authenticated, undefined);
    });
  }
});

describe('LMTP', () => {
  it('refuses content once for each recipient', () => {
    const session = new Session({ mode: 'lmtp' });
    session.receive('LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@d.test>\r\nRCPT TO:<b@d.test>\r\n');
    session.receive('DATA\r\na\nb\r\n.\r\n');
    assert.equal(session.codes, '220 250 250 250 250 354 550 550');
  });

  it('says for each recipient what the host says', () => {
    const session = new Session({ mode: 'lmtp' }, (question, server) => {
      const answer = openHost(question, server);
      if ('durable' in answer) {
        const perRecipient = [
          { code: 250, enhanced: '2.1.5', lines: ['first'] },
          { code: 452, enhanced: '4.2.2', lines: ['second is full'] },
        ];
        return { ...answer, perRecipient };
      }
      return answer;
    });
    session.receive('LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@d.test>\r\nRCPT TO:<b@d.test>\r\n');
    session.receive('BDAT 3 LAST\r\nabc');
    assert.match(session.sent, /250 2\.1\.5 first\r\n452 4\.2\.2 second is full\r\n$/);
  });

  it('refuses content from the host once for each recipient, and closes when told', () => {
    const session = new Session({ mode: 'lmtp' }, (question, server) =>
      question.kind === 'content-end'
        ? { kind: 'refuse', reply: { code: 554, enhanced: '5.6.0', lines: ['no'] }, close: true }
        : openHost(question, server),
    );
    session.receive('LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@d.test>\r\nRCPT TO:<b@d.test>\r\n');
    session.receive('BDAT 3 LAST\r\nabc');
    assert.equal(session.codes, '220 250 250 250 250 554 554');
    assert.equal(session.closed, true);
  });
});
