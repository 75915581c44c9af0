/** Addresses and domains: the table of reliability group S9 and the rules of RFC 5321 4.1.2. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressKey,
  formatAddress,
  isInternational,
  parseAddress,
  quoteLocalPart,
} from './address.ts';
import { displayDomain, parseDomain } from './domain.ts';

const GOOD: readonly [text: string, local: string, domain: string][] = [
  ['a@b.example', 'a', 'b.example'],
  ['Alice@B.Example.', 'Alice', 'b.example'],
  ['"a b"@d.example', 'a b', 'd.example'],
  ['"xclow3n@gmail.com x"@internal.domain', 'xclow3n@gmail.com x', 'internal.domain'],
  ['"a\\"b"@d.example', 'a"b', 'd.example'],
  ['a%b@d.example', 'a%b', 'd.example'],
  ['b!a@d.example', 'b!a', 'd.example'],
  ['a@[127.0.0.1]', 'a', '[127.0.0.1]'],
  ['a@[IPv6:::1]', 'a', '[IPv6:::1]'],
  ['a@[IPv6:2001:DB8:0:0:0:0:0:1]', 'a', '[IPv6:2001:db8::1]'],
  ['rené@bücher.example', 'rené', 'xn--bcher-kva.example'],
  [`${'x'.repeat(64)}@d.example`, 'x'.repeat(64), 'd.example'],
  ['${run{id}}@d.example', '${run{id}}', 'd.example'],
];

const BAD: readonly string[] = [
  '',
  '@',
  'a',
  'a@',
  '@d',
  'a@b@c',
  '""@d.example',
  '@x,@y:a@d',
  'a@1.2.3.4',
  'a@-d.example',
  'a@xn--a',
  'a b@d.example',
  'a@b c',
  'a..b@d.example',
  '.a@d.example',
  'a.@d.example',
  'a@d..example',
  'a@[1.2.3]',
  'a@[1.2.3.256]',
  'a@[IPv6:zz]',
  'a@[IPv6:1::2::3]',
  'a@b\0c',
  'a\r\nb@d.example',
  'a@d.example\r',
  'a@ex/ample',
  'a@ex#ample',
  '"a"b@d.example',
  '"a\r"@d',
  `${'x'.repeat(65)}@d.example`,
  `a@${'x'.repeat(64)}.example`,
  'a@\ud800.example',
  '\ud800@d.example',
  `a@${'x.'.repeat(130)}example`,
  'a@b|c',
  'a@ｅx%ample',
];

test('addresses that are', () => {
  for (const [text, local, domain] of GOOD) {
    const address = parseAddress(text);
    assert.deepEqual([address?.local, address?.domain], [local, domain], text);
  }
});

test('addresses that are none', () => {
  for (const text of BAD) assert.equal(parseAddress(text), undefined, JSON.stringify(text));
});

test('the local part is relayed as it was written', () => {
  assert.equal(formatAddress(parseAddress('"A b"@D.example')!), '"A b"@d.example');
  assert.equal(addressKey(parseAddress('"A b"@D.example')!), 'a b@d.example');
  assert.equal(addressKey(parseAddress('"alice"@d.example')!), 'alice@d.example');
});

test('international addresses are told apart', () => {
  assert.equal(isInternational(parseAddress('rené@d.example')!), true);
  assert.equal(isInternational(parseAddress('rene@bücher.example')!), false);
  assert.equal(displayDomain(parseDomain('bücher.example')!), 'bücher.example');
});

test('a value becomes a local part again', () => {
  for (const value of ['a', 'a.b', 'a b', 'a"b\\c', '', '.']) {
    const address = parseAddress(`${quoteLocalPart(value)}@d.example`);
    if (value !== '') assert.equal(address?.local, value);
  }
});
