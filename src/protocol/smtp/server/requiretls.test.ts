/** REQUIRETLS at the server: offered inside TLS, taken without a value, unknown everywhere else. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openHost, Session, TEST_TLS } from './transcript.test.ts';

function mail(tls: typeof TEST_TLS | undefined, words: string, mode: 'smtp' | 'lmtp' = 'smtp') {
  const session = new Session({ mode }, openHost, tls);
  session.receive(`${mode === 'lmtp' ? 'LHLO' : 'EHLO'} x\r\nMAIL FROM:<a@b.test>${words}\r\n`);
  const asked = session.questions.find((one) => one.kind === 'mail');
  return { sent: session.sent, parameters: asked?.parameters };
}

describe('REQUIRETLS', () => {
  it('is announced and taken inside TLS (RFC 8689 2)', () => {
    const { sent, parameters } = mail(TEST_TLS, ' REQUIRETLS');
    assert.match(sent, /^250-REQUIRETLS\r$/m);
    assert.match(sent, /250 2\.1\.0 [^\r]*\r\n$/);
    assert.equal(parameters?.requireTls, true);
  });

  it('is neither announced nor known in clear, nor by LMTP', () => {
    for (const { sent, parameters } of [
      mail(undefined, ' REQUIRETLS'),
      mail(TEST_TLS, ' REQUIRETLS', 'lmtp'),
    ]) {
      assert.doesNotMatch(sent, /250-REQUIRETLS/);
      assert.match(sent, /\n555 [^\r]*\r\n$/);
      assert.equal(parameters, undefined);
    }
  });

  it('has no value and comes once; without it nothing is said', () => {
    assert.match(mail(TEST_TLS, ' REQUIRETLS=1').sent, /\n501 [^\r]*\r\n$/);
    assert.match(mail(TEST_TLS, ' REQUIRETLS REQUIRETLS').sent, /\n501 [^\r]*\r\n$/);
    assert.equal(mail(TEST_TLS, '').parameters?.requireTls, undefined);
  });
});
