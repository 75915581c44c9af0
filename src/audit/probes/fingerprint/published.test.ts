/** What is published of versions: branches that were mended, versions before and behind. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { auditMock, smtpAnswers } from '#test/world/audit.ts';
import { knownWeakness } from './index.ts';
import { PUBLISHED, publishedOf } from './published.ts';

const ID = 'fingerprint.known-weakness';

/** Numbers of the weaknesses of a version. */
const cves = (product: string, version: string): readonly string[] =>
  publishedOf(product, version).map(({ cve }) => cve);

const told = async (greeting: string) => {
  const answer = smtpAnswers(['PIPELINING']);
  const found = await auditMock({ greeting: `${greeting}\r\n`, answer }, [knownWeakness]);
  return found.get(ID);
};

suite('published weaknesses', () => {
  test('a version has those that were mended later', () => {
    assert.deepEqual(cves('exim', '4.96'), ['CVE-2023-42115', 'CVE-2023-51766', 'CVE-2024-39929']);
    assert.ok(cves('exim', '4.91').includes('CVE-2019-10149'));
    assert.ok(!cves('exim', '4.92').includes('CVE-2019-10149'));
    assert.ok(!cves('exim', '4.86').includes('CVE-2019-10149'), 'it came with 4.87');
    assert.ok(cves('opensmtpd', '6.6.3p1').includes('CVE-2020-8794'));
    assert.deepEqual(cves('opensmtpd', '6.6.4p1'), []);
  });

  test('each branch has its own cure', () => {
    for (const version of ['3.8.4', '3.7.9', '3.6.13', '3.5.23', '3.9.0', '3.7.11', '3.10.1']) {
      assert.deepEqual(cves('postfix', version), [], version);
    }
    for (const version of ['3.8.3', '3.7.8', '3.5.22', '3.4.29', '3.7']) {
      assert.deepEqual(cves('postfix', version), ['CVE-2023-51764'], version);
    }
  });

  test('numbers are compared as numbers, and what is no version has nothing', () => {
    assert.deepEqual(cves('exim', '4.100'), []);
    assert.deepEqual(cves('exim', '4'), []);
    assert.deepEqual(cves('exim', 'unknown'), []);
    assert.deepEqual(cves('nobody', '1.0'), []);
    assert.deepEqual(cves('__proto__', '1.0'), []);
  });

  test('every row says when it was mended, and its first version is older', () => {
    for (const one of PUBLISHED) {
      assert.match(one.cve, /^CVE-\d{4}-\d{4,}/);
      const last = one.mended.at(-1) ?? '';
      assert.ok(!cves(one.product, last).includes(one.cve), one.cve);
      if (one.since !== undefined) assert.ok(cves(one.product, one.since).includes(one.cve));
    }
  });

  test('a greeting with an old version is told, as likely at most', async () => {
    const grave = await told('220 mx ESMTP Exim 4.91 Sun, 22 Nov 2026 10:00:00 +0000');
    assert.equal(grave?.confidence, 'likely');
    assert.equal(grave.severity, 'low');
    assert.match(grave.seen, /CVE-2019-10149/);
    const mild = await told('220 mx ESMTP Postfix (3.7.8)');
    assert.equal(mild?.severity, 'info');
    assert.equal(mild.confidence, 'likely');
  });

  test('a new version, a program without one and a masked greeting are not', async () => {
    for (const greeting of ['220 mx ESMTP Exim 4.99', '220 mx ESMTP Postfix', '220 mx ESMTP']) {
      assert.equal((await told(greeting))?.confidence, 'not-observed', greeting);
    }
  });
});
