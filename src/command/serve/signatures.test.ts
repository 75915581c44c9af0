/** The thread of signatures: the same results as here, and what becomes of tasks when it dies. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { utf8 } from '#base/bytes.ts';
import { hashBody } from '#trust/dkim/body.ts';
import { SIGNING_WANT } from '#trust/dkim/sign.ts';
import { NOW_MS, lines, testKey } from '#trust/dkim/testing.ts';
import { signaturesHere } from '#trust/signatures.ts';
import { signatureThread } from './signatures.ts';

const rsa = testKey('rsa-sha256', 'a.test', 'r');
const ed = testKey('ed25519-sha256', 'a.test', 'e');
const head = utf8(`${lines('From: ann@a.test', 'Subject: x')}\r\n`);
const body = hashBody(utf8('hello\r\n'), [SIGNING_WANT]);
const task = { head, body, keys: [rsa, ed], atMs: NOW_MS };
const found = { kind: 'found', ttlSeconds: 1, authentic: false } as const;
const answers = new Map([
  ['r._domainkey.a.test', { ...found, records: [rsa.record] }],
  ['e._domainkey.a.test', { ...found, records: [ed.record] }],
]);

describe('the thread of signatures', () => {
  const thread = signatureThread();
  after(() => thread.close());

  test('signs, judges and seals as this thread would', async () => {
    const fields = await thread.sign(task);
    assert.deepEqual(fields, signaturesHere.sign(task));
    const whole = new Uint8Array([...utf8(fields.join('')), ...head]);
    const evidence = { head: whole.subarray(0), body, answers, nowMs: NOW_MS };
    const report = await thread.judge(evidence);
    assert.deepEqual(
      report.dkim.results.map(({ status }) => status),
      ['pass', 'pass'],
    );
    assert.deepEqual(report, signaturesHere.judge(evidence));
    const sealing = { ...task, key: rsa, report: report.arc, results: 'mx.a.test; none' };
    assert.deepEqual(await thread.seal(sealing), signaturesHere.seal(sealing));
  });

  test('what it cannot do fails alone, and it goes on', async () => {
    const unhashed = { ...task, body: hashBody(utf8('x'), []) };
    const results = await Promise.allSettled([thread.sign(unhashed), thread.sign(task)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
  });
});

test('a thread that is lost fails what it was asked, and another one is started', async () => {
  const broken = signatureThread(new URL('data:text/javascript,process.exit(3)'));
  await assert.rejects(async () => broken.sign(task), { code: 'signatures-lost' });
  await assert.rejects(async () => broken.judge({ head, body, answers, nowMs: 0 }), {
    code: 'signatures-lost',
  });
  await broken.close();
  await assert.rejects(async () => broken.sign(task), { code: 'signatures-busy' });
});
