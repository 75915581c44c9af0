/** A server that serves nobody lacks no TLS: what it would offer is not known. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditMock, smtpAnswers } from '#test/world/audit.ts';
import { noTls } from './no-tls.ts';

const ID = 'plaintext.no-tls';
const answer = smtpAnswers(['PIPELINING']);
const refusing = (line: string): string =>
  line === 'QUIT' ? '221 2.0.0 bye\r\n' : '503 5.5.1 no\r\n';

test('a greeting of 554 says nothing of TLS, one of 220 does', async () => {
  const closed = await auditMock({ greeting: '554 no service\r\n', answer: refusing }, [noTls]);
  assert.equal(closed.get(ID)?.confidence, 'not-observed');
  assert.match(closed.get(ID)?.seen ?? '', /nobody is served/);
  const open = await auditMock({ greeting: '220 mock.test ESMTP\r\n', answer }, [noTls]);
  assert.equal(open.get(ID)?.confidence, 'confirmed');
});

test('an offer that a firewall wrote over is named', async () => {
  const masked = smtpAnswers(['PIPELINING', 'XXXXXXXA']);
  const found = await auditMock({ greeting: '220 mock.test ESMTP\r\n', answer: masked }, [noTls]);
  assert.match(found.get(ID)?.seen ?? '', /"XXXXXXXA" stands where a firewall/);
  const plain = await auditMock({ greeting: '220 mock.test ESMTP\r\n', answer }, [noTls]);
  assert.doesNotMatch(plain.get(ID)?.seen ?? '', /firewall/);
});

test('a greeting of 450 may be another one tomorrow', async () => {
  const greeting = '450 4.7.25 Client host rejected\r\n';
  const found = await auditMock({ greeting, answer: refusing }, [noTls]);
  assert.equal(found.get(ID)?.confidence, 'inconclusive');
});
