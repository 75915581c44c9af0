/** A certificate of an authority that this system knows: the twin of those that nobody knows. */

import assert from 'node:assert/strict';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { test } from 'node:test';
import { PROBES } from '#audit/probes/all.ts';
import { auditMock, smtpAnswers } from '../world/audit.ts';
import { testAuthority, testCertificate } from '../world/certificates.ts';

test('a certificate that leads to an authority of the system is trusted', async () => {
  const authority = testAuthority('An authority of the house');
  const mock = {
    greeting: '220 mock.test ESMTP\r\n',
    answer: smtpAnswers(['STARTTLS']),
    tls: testCertificate({ names: ['127.0.0.1', 'mock.test'], issuer: authority }),
  };
  const probes = PROBES.filter(({ checks }) =>
    checks.some(({ id }) => id === 'tls.certificate-untrusted'),
  );
  const before = await auditMock(mock, probes);
  assert.equal(before.get('tls.certificate-untrusted')?.confidence, 'confirmed');
  // For this process alone: each file of flow tests has one of its own.
  setDefaultCACertificates([...getCACertificates('default'), authority.certificate]);
  const after = await auditMock(mock, probes);
  const finding = after.get('tls.certificate-untrusted');
  assert.equal(finding?.confidence, 'not-observed', finding?.seen ?? '');
});
