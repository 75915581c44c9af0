/** DANE by the suite of rules, and what no certificate can be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daneSuite } from '#test/vectors/dane.ts';
import { daneCertificate } from './certificate.ts';
import { matchDane } from './match.ts';
import { showTlsa } from './records.ts';

test('every usage, selector and matching type, right and wrong', async () => {
  const { passed, failures } = await daneSuite.run('');
  assert.deepEqual(failures, []);
  assert.ok(passed > 70, String(passed));
});

test('octets that are no certificate match nothing and throw nothing', () => {
  const garbage = [
    new Uint8Array(),
    Uint8Array.of(0x30, 0x84, 255, 255, 255, 255),
    Buffer.from('x'),
  ];
  for (const der of garbage) assert.equal(daneCertificate(der), undefined);
  const record = { usage: 2, selector: 1, matching: 0, data: Uint8Array.of(1, 2, 3) };
  const verdict = matchDane([record], { certificates: garbage, names: ['a.test'], nowMs: 0 });
  assert.deepEqual(verdict, { kind: 'failed', why: 'the server showed no certificate' });
  assert.equal(showTlsa(record), '2 1 0 010203');
});
