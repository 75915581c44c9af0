/** Tests of signing: whatever is signed verifies, whatever is changed does not, and how it looks. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Domain } from '#base/brand.ts';
import { fromLatin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { readHead } from '#message/fields.ts';
import { keyName, makeKey, readSigningKey, recordStrings, zoneLine } from './keys.ts';
import { NOW_MS, lines, signed, testKey, verdict, verified } from './testing.ts';

const RSA = testKey('rsa-sha256', 'example.com', '2048', 2_048);
const ED = testKey('ed25519-sha256', 'example.com', 'ed');
const ZONE = { ...RSA.zone, ...ED.zone };
const MESSAGE = lines(
  'Received: from x',
  'From: Joe <joe@example.com>',
  'To: a@example.org,',
  '\tb@example.org',
  'Subject:   Two  spaces ',
  'List-Unsubscribe: <https://example.com/u>',
  '',
  'Body',
);

const value = fc
  .array(fc.constantFrom('a', 'Word', ' ', '  ', '\t', ':', ';', 'b=', '\xe9', '\r\n ', '=', ','), {
    maxLength: 12,
  })
  .map((pieces) => pieces.join('').replace(/\r\n $/, ''));
const field = fc
  .tuple(fc.constantFrom('From', 'To', 'Subject', 'cc', 'X-Other', 'References', 'DATE'), value)
  .map(([name, text]) => `${name}:${text}\r\n`);
const body = fc
  .array(fc.constantFrom('\r\n', ' ', '\t', 'text', '.', '\xff', '\0', 'b', '\n', '\r'), {
    maxLength: 40,
  })
  .map((pieces) => pieces.join(''));
const message = fc
  .tuple(fc.array(field, { maxLength: 8 }), body)
  .map(([fields, text]) => `From: a@example.com\r\n${fields.join('')}\r\n${text}`);

test('what is signed verifies, for any message and both algorithms', async () => {
  await fc.assert(
    fc.asyncProperty(message, async (source) => {
      const both = signed(signed(source, RSA), ED);
      const { results } = await verified(both, ZONE);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['pass', 'pass'],
      );
    }),
    { numRuns: 150 },
  );
});

test('a change of any signed octet that is no white space breaks the signature', async () => {
  const whole = signed(MESSAGE, ED);
  const from = whole.length - MESSAGE.length + lines('Received: from x').length;
  for (let at = from; at < whole.length; at++) {
    const octet = whole.charCodeAt(at);
    if (octet <= 0x20) continue;
    const changed = whole.slice(0, at) + String.fromCharCode(octet ^ 1) + whole.slice(at + 1);
    const { status } = await verdict(changed, ZONE);
    const name = /[A-Za-z-]+(?=:)/.exec(whole.slice(whole.lastIndexOf('\n', at) + 1))?.[0];
    assert.equal(status, 'fail', `octet ${at} (${name})`);
  }
});

test('fields that are oversigned cannot be added, others can', async () => {
  const whole = signed(MESSAGE, ED);
  for (const name of ['From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID', 'Reply-To']) {
    assert.equal((await verdict(`${name}: x\r\n${whole}`, ZONE)).status, 'fail', name);
  }
  for (const name of ['MIME-Version', 'Content-Type', 'Content-Transfer-Encoding', 'References']) {
    assert.equal((await verdict(`${name}: x\r\n${whole}`, ZONE)).status, 'fail', name);
  }
  for (const name of ['Received', 'X-Spam', 'List-Id', 'Sender']) {
    assert.equal((await verdict(`${name}: x\r\n${whole}`, ZONE)).status, 'pass', name);
  }
});

test('a relay may fold again, change blanks and the case of names', async () => {
  const whole = signed(MESSAGE, ED)
    .replace('To: a@example.org,\r\n\tb', 'TO :a@example.org,    b')
    .replace('Body\r\n', 'Body \t\r\n\r\n \r\n');
  assert.equal((await verdict(whole, ZONE)).status, 'pass');
});

test('the field: short lines, the same octets each time, one field', () => {
  for (const key of [RSA, ED]) {
    const whole = signed(MESSAGE, key, { lifeSeconds: 86_400, identity: '@example.com' });
    assert.equal(whole, signed(MESSAGE, key, { lifeSeconds: 86_400, identity: '@example.com' }));
    const text = whole.slice(0, -MESSAGE.length);
    assert.equal(readHead(fromLatin1(text)).fields.length, 1);
    assert.ok(text.split('\r\n').every((line) => line.length <= 78));
    assert.match(text, / t=1700000000; x=1700086400; i=@example.com;/);
    assert.match(text.replaceAll(/\r\n /g, ''), /From:From:To:To:Cc:Subject:Subject:.*List-Uns/);
  }
  const long = testKey('ed25519-sha256', `${'a234567890.'.repeat(20)}example.com`, 'x');
  const fields = readHead(fromLatin1(signed(MESSAGE, long))).fields;
  assert.equal(fields[0]?.key, 'dkim-signature');
});

test('values that would break out of the field are bugs, not fields', () => {
  for (const identity of ['a b@example.com', 'x\r\nBcc: y', '@example.com; l=0']) {
    assert.throws(() => signed(MESSAGE, ED, { identity }), /invariant/);
  }
});

test('many fields of one name: the signature stays within its own limits', async () => {
  const crowd = lines(...Array.from({ length: 3_000 }, (_, at) => `To: ${at}@example.org`));
  const result = await verdict(signed(`${crowd}${MESSAGE}`, ED), ZONE);
  assert.equal(result.status, 'pass');
  assert.equal(result.signedFields.filter((name) => name === 'to').length, 21);
});

test('keys are made, stored, read and published', async () => {
  const domain = 'example.org' as Domain;
  for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
    const made = await makeKey(algorithm, 1_024);
    const key = readSigningKey(made.pem, domain, 's1');
    assert.equal(key.algorithm, algorithm);
    const strings = recordStrings(made.record);
    assert.equal(strings.join(''), made.record);
    assert.ok(strings.every((text) => text.length <= 255));
    const zone = { [keyName(key)]: [made.record] };
    assert.equal((await verdict(signed(MESSAGE, key, { atMs: NOW_MS }), zone)).status, 'pass');
    const line = zoneLine(key, made.record);
    assert.ok(line.startsWith('s1._domainkey.example.org. IN TXT ( "v=DKIM1; k='));
    assert.equal(
      line
        .split('"')
        .filter((_, at) => at % 2 === 1)
        .join(''),
      made.record,
    );
  }
  assert.equal(recordStrings(RSA.record).length, 2);
});

test('what is no key to sign with is refused when it is read', () => {
  const domain = 'example.org' as Domain;
  const weak = testKey('rsa-sha256', 'example.org', 'x', 512).key;
  const pem = weak.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const text of ['', 'garbage', pem]) {
    assert.throws(
      () => readSigningKey(text, domain, 's'),
      (thrown) => thrown instanceof Failure && thrown.code === 'bad-signing-key',
    );
  }
});
