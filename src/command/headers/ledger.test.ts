/** Tests of the record as evidence: what the server wrote down at receipt is enough to judge again. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evidenceOf } from '#agents/verify/evidence.ts';
import { fromLatin1 } from '#base/bytes.ts';
import { examine } from '#forensics/examine.ts';
import { examineOptions, message, NOW_MS } from '#forensics/testing.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { Questions } from '#trust/questions.ts';
import { recordedAnswers } from './ledger.ts';

const KEY = testKey('rsa-sha256', 'example.org', 's1', 2_048);
const ZONE = {
  's1._domainkey.example.org': { txt: [KEY.record] },
  'example.org': { txt: ['v=spf1 -all'], mx: [[10, 'mx.example.org']] as const },
  'broken.test': { timeout: true },
  'long.test': { txt: ['x'.repeat(20_000)] },
};

test('answers of the ledger are those of the DNS, whole or not at all', async () => {
  const questions = new Questions({ resolver: zoneResolver(ZONE) });
  await questions.txt('s1._domainkey.example.org');
  await questions.mx('example.org');
  await questions.txt('none.test');
  await questions.txt('broken.test');
  await questions.txt('long.test');
  const answers = recordedAnswers(evidenceOf({}, questions.facts)['dns']);
  const key = answers.get('TXT s1._domainkey.example.org');
  assert.deepEqual(key?.kind === 'found' && key.records, [KEY.record]);
  const mx = answers.get('MX example.org');
  assert.deepEqual(mx?.kind === 'found' && mx.records, ['10 mx.example.org']);
  assert.equal(answers.get('TXT none.test')?.kind, 'none');
  assert.deepEqual([answers.has('TXT broken.test'), answers.has('TXT long.test')], [false, false]);
  for (const bad of [undefined, null, 1, 'x', [1], [{}], [{ type: 'TXT' }], { dns: 1 }]) {
    assert.equal(recordedAnswers(bad).size, 0);
  }
});

test('a message is proved years later by the key of its day, out of our record alone', async () => {
  const questions = new Questions({ resolver: zoneResolver(ZONE) });
  await questions.txt('s1._domainkey.example.org');
  const answers = recordedAnswers(evidenceOf({}, questions.facts)['dns']);
  const hop =
    'Received: from out.test ([192.0.2.1])\r\n\tby mx.us.test with ESMTPS\r\n' +
    '\tid 01HXZ3; Sun, 22 Nov 2026 09:00:05 +0000\r\n';
  const mail = hop + signed(message({}, { boundary: '' }), KEY, { atMs: NOW_MS });
  const fact = { clientAddress: undefined, helo: undefined, atMs: NOW_MS, answers };
  const ledger = async (id: string, by: string) =>
    id === '01HXZ3' && by === 'mx.us.test' ? fact : undefined;
  const one = await examine('x', fromLatin1(mail), { ...examineOptions({}), ledger });
  assert.deepEqual(one.conclusions.headline, {
    kind: 'authenticated',
    domain: 'example.org',
    grade: 'P',
  });
  assert.match(one.conclusions.handedOver.text, /^192\.0\.2\.1/);
  const without = await examine('x', fromLatin1(mail), examineOptions({}));
  assert.equal(without.conclusions.headline.kind, 'cannot be determined');
});
