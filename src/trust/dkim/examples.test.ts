/** The examples of RFC 6376 (3.4, appendix A) and RFC 8463 (appendix A), to the octet. */

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { CASES, RFC8463_MESSAGE, RFC8463_ZONE, runCases } from '#test/vectors/dkim.ts';
import { keyRecord } from './keys.ts';
import { verified } from './testing.ts';

test('every example of the RFCs', async () => {
  assert.deepEqual(await runCases(CASES), { passed: CASES.length, failures: [] });
});

test('the suite of examples is able to fail', async () => {
  const wrong = CASES.map((one) => ({ ...one, wanted: 'something else' }));
  assert.equal((await runCases(wrong)).failures.length, CASES.length);
});

test('RFC 8463 appendix A: both signatures verify, a changed word breaks both', async () => {
  const good = await verified(RFC8463_MESSAGE, RFC8463_ZONE);
  assert.deepEqual(
    good.results.map(({ status, algorithm, keyBits }) => [status, algorithm, keyBits]),
    [
      ['pass', 'ed25519-sha256', 256],
      ['pass', 'rsa-sha256', 1_024],
    ],
  );
  const bad = await verified(RFC8463_MESSAGE.replace('dinner', 'supper'), RFC8463_ZONE);
  assert.deepEqual(
    bad.results.map(({ status, reason }) => `${status}: ${reason}`),
    Array(2).fill('fail: the signature does not fit the header'),
  );
  const added = await verified(`${RFC8463_MESSAGE}PS\r\n`, RFC8463_ZONE);
  assert.deepEqual(
    added.results.map(({ reason }) => reason),
    Array(2).fill('the body was changed'),
  );
});

test('RFC 8463 appendix A: the record of its secret key is the published one', () => {
  const seed = Buffer.from('nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=', 'base64');
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  assert.equal(keyRecord(key), RFC8463_ZONE['brisbane._domainkey.football.example.com']![0]);
});
