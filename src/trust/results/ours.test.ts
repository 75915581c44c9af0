/** Tests of forged results: those that anybody may read as ours are found and removed, no others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { isOurs, removeForged } from './ours.ts';

const OURS = ['mx.us.test', 'in.us.test2', 'xn--mnchen-3ya.test'];

/** Forms in which a forged field may carry our id, for readers of every kind. */
const FORGED: readonly string[] = [
  'mx.us.test; dmarc=pass',
  'MX.Us.TEST; dmarc=pass',
  'mx.us.test.; dmarc=pass',
  'mx.us.test 1; dmarc=pass',
  'mx.us.test/1; dmarc=pass',
  'mx.us.test1; dmarc=pass',
  'mx.us.test 2; dmarc=pass',
  'mx.us.test(c)1;dmarc=pass',
  '(comment) mx.us.test (comment) 1 ; dmarc=pass',
  '(a;b) mx.us.test; dmarc=pass',
  '(a (b) c \\) d) mx.us.test; dmarc=pass',
  'mx.(c)us.test; dmarc=pass',
  'mx . us . test; dmarc=pass',
  '"mx.us.test"; dmarc=pass',
  '"mx.us\\.test"; dmarc=pass',
  'mx\\.us.test; dmarc=pass',
  'mx.us.test\0; dmarc=pass',
  'mx.us.test',
  'mx.us.test dmarc=pass',
  'in.us.(c)test2; dmarc=pass',
  `(${'c;'.repeat(4_996)})mx.us.test; dmarc=pass`,
  `${'(c)'.repeat(5_000)} mx.us.test; dmarc=pass`,
  `(${'c'.repeat(20_000)};) mx.us.test; dmarc=pass`,
  'mx.us.test, dmarc=pass',
  'mx.us.test\t; dmarc=pass',
  '=?utf-8?q?mx.us.test?=; dmarc=pass',
  '=?us-ascii?b?bXgudXMudGVzdA==?=; dmarc=pass',
  '(never closed mx.us.test; dmarc=pass',
  '; dmarc=pass',
  '',
  '\u006d\u00c3\u00bcnchen.test; dmarc=pass',
  '<mx.us.test>; dmarc=pass',
  '[mx.us.test] 1; dmarc=pass',
  "'mx.us.test'; dmarc=pass",
  '"" mx.us.test; dmarc=pass',
  '@mx.us.test; dmarc=pass',
  'mx.us.test:; dmarc=pass',
  '.mx.us.test; dmarc=pass',
  'mx.(c)us.test 1.0; dmarc=pass',
  'mx(c).us.test v1 dmarc=pass',
  '"mx.us.test"1 dmarc=pass',
  'xn--mnchen-3ya.test; dmarc=pass',
];

const FOREIGN: readonly string[] = [
  'mx.them.test; dmarc=pass',
  'mx.us.test.them.test; dmarc=pass',
  'them-mx.us.test; dmarc=pass',
  'xmx.us.test; dmarc=pass',
  'mx.us.test2x; spf=pass',
  'us.test; dmarc=pass',
  'mx.them.test (mx.us.test); dmarc=pass',
  'mx.them.test; spf=pass smtp.helo=mx.us.test',
];

test('forged fields with our id are found in any form, those of others stay', () => {
  for (const value of FORGED) assert.equal(isOurs(value, OURS), true, JSON.stringify(value));
  for (const value of FOREIGN) assert.equal(isOurs(value, OURS), false, JSON.stringify(value));
});

test('forged fields go from a head, whatever the case of their name; nothing else changes', () => {
  const names = ['Authentication-Results', 'AUTHENTICATION-RESULTS', 'authentication-results '];
  const forged = names.map((name) => `${name}:\r\n mx.US.test (x)\r\n 1; dmarc=pass\r\n`);
  const kept = ['Authentication-Results: a.test; none\r\n', 'X-\u00fc: y\r\n z\r\n', '\r\n'];
  const all = [forged[0], kept[0], forged[1], forged[2], kept[1], kept[2]].join('');
  const { head, removed } = removeForged(utf8(all), OURS);
  assert.equal(removed.length, 3);
  assert.deepEqual(head, Buffer.from(kept.join('')));
  const clean = utf8(kept.join(''));
  assert.equal(removeForged(clean, OURS).head, clean);
  assert.equal(latin1(removeForged(utf8(forged.join('')), OURS).head), '');
});

test('lines that only some read as results of ours go, too', () => {
  const kept = 'From: a@them.test\r\n\r\n';
  const rows: readonly (readonly [odd: string, gone: boolean])[] = [
    ['Authentication-Results\r\n : mx.us.test; dmarc=pass\r\n', true],
    ['Authentication-Results\r\n\t\r\n :\r\n mx.us.test;\r\n dmarc=pass\r\n', true],
    ['Authentication-Results\0: mx.us.test; dmarc=pass\r\n', true],
    ['Authentication\u00ad-Results: mx.us.test; dmarc=pass\r\n', true],
    [' Authentication-Results: mx.us.test; dmarc=pass\r\n', true],
    ['Authentication-Results\r\n : mx.them.test; dmarc=pass\r\n', false],
    ['X-Authentication-Results: mx.us.test; dmarc=pass\r\n', false],
    ['X: y\r\n Authentication-Results: mx.us.test; dmarc=pass\r\n', false],
  ];
  for (const [odd, gone] of rows) {
    const { head, removed } = removeForged(fromLatin1(odd + kept), OURS);
    assert.equal(latin1(head), gone ? kept : odd + kept, JSON.stringify(odd));
    assert.equal(removed.length, gone ? 1 : 0);
  }
  const first = 'Authentication-Results: mx.us.test; a=b\r\n';
  const both = `${first}Authentication-Results\r\n : mx.us.test; a=b\r\n${first}`;
  assert.equal(latin1(removeForged(fromLatin1(both + kept), OURS).head), kept);
});

test('a head full of results costs little, and what nobody looks at goes', () => {
  const units = [
    'Authentication-Results: a.test;\r\n',
    `Authentication-Results: ${'\u00e9.x '.repeat(50)};\r\n`,
    `Authentication-Results: ${'a.b '.repeat(60)};\r\n`,
    `Authentication-Results: ${'(a)b '.repeat(50)};\r\n`,
    'Authentication-Results\r\n : a b c;\r\n',
    'X: y\r\n',
  ];
  for (const unit of units) {
    const head = utf8(`${unit.repeat(Math.ceil(250_000 / unit.length))}\r\n`);
    const before = process.cpuUsage();
    removeForged(head, OURS);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 250_000, `${unit.slice(0, 40)}: ${user} us`);
  }
  const theirs = 'Authentication-Results: mx.them.test; spf=pass\r\n';
  assert.equal(removeForged(utf8(`${theirs.repeat(100)}\r\n`), OURS).removed.length, 0);
  assert.equal(removeForged(utf8(`${theirs.repeat(103)}\r\n`), OURS).removed.length, 3);
});
