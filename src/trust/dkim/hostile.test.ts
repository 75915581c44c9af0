/** Tests that hostile heads cost time linear in their octets, whatever they are made of. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromLatin1 } from '#base/bytes.ts';
import { readArcSets } from '#trust/arc/sets.ts';
import { hashBody } from './body.ts';
import { SignedHead } from './header.ts';
import { readKeyRecord } from './key-record.ts';
import { NOW_MS, signed, testKey } from './testing.ts';
import { DkimSignatures } from './verify.ts';

const KEY = testKey('ed25519-sha256', 'example.com', 's');
const PLAIN = 'From: a@example.com\r\n\r\n';
const EMPTY = 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=';
const GOOD = signed(PLAIN, KEY);
/** A signature that covers each field as often as `h=` may say. */
const GREEDY = GOOD.replace('h=From', `h=From${':X'.repeat(500)}:From`);

/** Head of about `size` octets. */
const SHAPES: readonly (readonly [name: string, make: (size: number) => string])[] = [
  ['signatures', (size) => GOOD.slice(0, -PLAIN.length).repeat(size / 400) + PLAIN],
  ['tags', (size) => `DKIM-Signature: ${tags(size / 8)}\r\n${PLAIN}`],
  ['semicolons', (size) => `DKIM-Signature: ${';'.repeat(size)}\r\n${PLAIN}`],
  ['equals signs', (size) => `DKIM-Signature: ${'='.repeat(size)}\r\n${PLAIN}`],
  ['blanks in a signature', (size) => GOOD.replace(' d=', `${' '.repeat(size)}d=`)],
  ['folds in a signature', (size) => GOOD.replace(' d=', `${'\r\n '.repeat(size / 3)}d=`)],
  ['blanks in From', (size) => GOOD.replace('a@', `${' \t'.repeat(size / 2)}a@`)],
  ['folds in From', (size) => GOOD.replace('a@', `${'\r\n '.repeat(size / 3)}a@`)],
  ['bare CR in From', (size) => GOOD.replace('a@', `${'\r'.repeat(size)}a@`)],
  ['b=', (size) => GOOD.replace(' b=', ` b=${'A'.repeat(size)}`)],
  ['h= of names', (size) => GOOD.replace('h=From', `h=From${':From'.repeat(size / 5)}`)],
  ['many covered fields', (size) => `${'X: y\r\n'.repeat(size / 6)}${GREEDY.repeat(1)}`],
  ['Froms', (size) => 'From: a@example.com\r\n'.repeat(size / 21) + GOOD],
  ['ten signatures over large fields', (size) => large(size)],
  ['seals', (size) => `ARC-Seal: i=1; cv=none\r\n`.repeat(size / 24) + PLAIN],
  ['long seals', (size) => `ARC-Seal: i=1; ${'x'.repeat(size)}\r\n${PLAIN}`],
];

test('heads of any shape are judged in linear time', () => {
  for (const [name, make] of SHAPES) {
    const small = cost(fromLatin1(make(25_000)));
    const large = cost(fromLatin1(make(400_000)));
    // 16 times the octets; quadratic would be 256 times, or seconds.
    assert.ok(large < Math.max(small, 3) * 60, `${name}: ${small} ms, then ${large} ms`);
  }
});

test('key records of any shape are read in linear time', () => {
  const start = process.cpuUsage();
  for (const text of [
    `v=DKIM1; ${tags(8_000)}`,
    `v=DKIM1; p=${'A '.repeat(32_000)}`,
    ';'.repeat(65_535),
    'a='.repeat(32_000),
    `v=DKIM1; h=${':'.repeat(16_000)}; p=`,
  ]) {
    assert.equal(readKeyRecord(text, 'rsa-sha256').kind, 'refused');
  }
  assert.ok(process.cpuUsage(start).user < 200_000);
});

test('any head is judged without failing, and never passes by chance', () => {
  const name = fc.constantFrom('DKIM-Signature', 'From', 'X', 'ARC-Seal', ' ', '');
  const tag = fc.constantFrom('v=1;', 'a=rsa-sha256;', 'a=ed25519-sha256;', 'b=AAAA;', 'd=a.test;');
  const more = fc.constantFrom(
    `bh=${EMPTY};`,
    'h=From;',
    's=x;',
    'c=relaxed;',
    'l=0;',
    '\r\n ',
    ';',
  );
  const value = fc.array(fc.oneof(tag, more, fc.string()), { maxLength: 12 });
  const any = fc.tuple(name, value).map(([key, pieces]) => `${key}:${pieces.join('')}\r\n`);
  // One that is whole, but for what only the key's owner can make.
  const forged = fc.base64String({ minLength: 84, maxLength: 92 });
  const whole = GOOD.slice(0, -PLAIN.length);
  const near = forged.map((b) =>
    whole
      .replace(/ b=[^;]*/, ` b=${b}`)
      .trimEnd()
      .concat('\r\n'),
  );
  const from = fc.constant('From: a@example.com\r\n');
  const field = fc.oneof({ weight: 4, arbitrary: any }, near, from);
  let asked = 0;
  fc.assert(
    fc.property(fc.array(field, { maxLength: 4 }), (fields) => {
      const signatures = new DkimSignatures(new SignedHead(fromLatin1(`${fields.join('')}\r\n`)));
      const found = {
        kind: 'found',
        records: [KEY.record],
        ttlSeconds: 1,
        authentic: false,
      } as const;
      asked += signatures.keyNames.length;
      const answers = new Map(signatures.keyNames.map((one) => [one, found]));
      const body = hashBody(new Uint8Array(0), signatures.wants);
      const { results } = signatures.judge(body, answers, NOW_MS);
      assert.ok(results.every(({ status }) => status !== 'pass' && status !== 'policy'));
    }),
    { numRuns: 1_000 },
  );
  assert.ok(asked > 0, 'no signature was whole enough to ask for its key');
});

/** Milliseconds of CPU to read and judge a head. */
function cost(head: Uint8Array): number {
  const start = process.cpuUsage();
  const signed = new SignedHead(head);
  const signatures = new DkimSignatures(signed);
  readArcSets(signed);
  const answers = new Map(
    signatures.keyNames.map((name) => [
      name,
      { kind: 'found' as const, records: [KEY.record], ttlSeconds: 1, authentic: false },
    ]),
  );
  const { results } = signatures.judge(
    hashBody(new Uint8Array(0), signatures.wants),
    answers,
    NOW_MS,
  );
  assert.ok(results.length <= 10);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

function tags(count: number): string {
  return Array.from({ length: count }, (_, at) => `t${at}=x`).join(';');
}

function large(size: number): string {
  const subject = `Subject: ${'x '.repeat(size / 2)}\r\n`;
  return (
    signed(subject + PLAIN, KEY)
      .slice(0, -PLAIN.length - subject.length)
      .repeat(10) +
    subject +
    PLAIN
  );
}
