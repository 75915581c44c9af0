/** SMTP AUTH in clear: offered, taken, both, none, and a server that falls silent. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditMock, smtpAnswers } from '#test/world/audit.ts';
import { authBeforeTls } from './auth-before-tls.ts';
import { authManners } from './auth-manners.ts';

const greeting = '220 mock.test ESMTP\r\n';

const refuse = (line: string) =>
  line.startsWith('AUTH') ? '538 5.7.11 encryption required\r\n' : undefined;

test('AUTH that is offered and taken in clear is found as both', async () => {
  const answer = smtpAnswers(['AUTH PLAIN LOGIN'], (line) => {
    if (line === 'AUTH PLAIN') return '334 \r\n';
    return line.startsWith('AUTH') ? '504 5.5.4 no\r\n' : undefined;
  });
  const findings = await auditMock({ greeting, answer }, [authBeforeTls]);
  assert.equal(findings.get('plaintext.smtp-auth-offered')?.confidence, 'confirmed');
  assert.equal(findings.get('plaintext.smtp-auth-offered')?.severity, 'high');
  const accepted = findings.get('plaintext.smtp-auth-accepted');
  assert.equal(accepted?.confidence, 'confirmed');
  assert.deepEqual(accepted?.controls.negative, { passed: 1, of: 1 });
  assert.match(JSON.stringify(accepted?.evidence), /AUTH PLAIN\\\\r\\\\n/);
});

test('AUTH that is taken without being offered is found too', async () => {
  const answer = smtpAnswers([], (line) => (line === 'AUTH PLAIN' ? '334 \r\n' : undefined));
  const findings = await auditMock({ greeting, answer }, [authBeforeTls]);
  assert.equal(findings.get('plaintext.smtp-auth-offered')?.confidence, 'not-observed');
  assert.equal(findings.get('plaintext.smtp-auth-accepted')?.confidence, 'confirmed');
});

test('a server that refuses AUTH in clear shows neither', async () => {
  const answer = smtpAnswers(['STARTTLS'], refuse);
  const findings = await auditMock({ greeting, answer }, [authBeforeTls]);
  assert.deepEqual(
    [...findings.values()].map(({ confidence }) => confidence),
    ['not-observed', 'not-observed'],
  );
});

test('a server that goes away in the middle leaves what was not seen inconclusive', async () => {
  const answer = smtpAnswers(['AUTH PLAIN'], (line, session) => {
    if (line.startsWith('AUTH')) session.end();
    return line.startsWith('AUTH') ? '' : undefined;
  });
  const findings = await auditMock({ greeting, answer }, [authBeforeTls]);
  assert.equal(findings.get('plaintext.smtp-auth-offered')?.confidence, 'confirmed');
  const accepted = findings.get('plaintext.smtp-auth-accepted');
  assert.equal(accepted?.confidence, 'inconclusive');
  assert.match(accepted?.seen ?? '', /no answer to AUTH: closed/);
});

test('a challenge before TLS does not show the password', async () => {
  const answer = smtpAnswers(['STARTTLS', 'AUTH CRAM-MD5 SCRAM-SHA-256'], refuse);
  const findings = await auditMock({ greeting, answer }, [authBeforeTls]);
  assert.equal(findings.get('plaintext.smtp-auth-offered')?.severity, 'low');
  assert.equal(findings.get('plaintext.smtp-auth-accepted')?.confidence, 'not-observed');
});

test('beside STARTTLS, AUTH that is offered in clear may come before EHLO', async () => {
  const id = 'hygiene.auth-before-ehlo';
  const asked = async (early: string, mechanisms = 'CRAM-MD5') => {
    const answer = smtpAnswers(['STARTTLS', `AUTH ${mechanisms}`], (line, { lines }) =>
      line === 'AUTH CRAM-MD5' && lines.length === 1 ? early : undefined,
    );
    return (await auditMock({ greeting, answer }, [authManners])).get(id);
  };
  assert.equal((await asked('334 PDEyMz4=\r\n'))?.confidence, 'confirmed');
  assert.equal((await asked('503 5.5.1 EHLO first\r\n'))?.confidence, 'not-observed');
});
