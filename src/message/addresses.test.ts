/** Tests of address fields and of the sender check. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatAddress } from '#base/address.ts';
import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { parseAddresses, readSenders } from './addresses.ts';
import { formatMailboxes } from './field-text.ts';
import { readHead } from './fields.ts';

/** `name|local|domain`, `[group` and `]` for groups. */
function show(value: string): string {
  return parseAddresses(value)
    .map(({ name, local, domain }) => {
      if (domain === undefined) return local === '' ? ']' : `[${local}`;
      return `${name ?? ''}|${local}|${domain}`;
    })
    .join(' ; ');
}

const FORMS: readonly (readonly [string, string])[] = [
  ['a@b.example', '|a|b.example'],
  ['<a@b>', '|a|b'],
  ['Alice <a@b>', 'Alice|a|b'],
  ['Alice B. Example <a@b>', 'Alice B. Example|a|b'],
  ['"Example, Alice" <a@b>', 'Example, Alice|a|b'],
  ['"a \\"b\\" c" <a@b>', 'a "b" c|a|b'],
  ['a@b (Alice)', 'Alice|a|b'],
  ['a@b (Al(i)ce)', 'Al(i)ce|a|b'],
  ['(first) a (x) @ (y) b (Alice)', 'Alice|a|b'],
  ['a@b, c@d', '|a|b ; |c|d'],
  [',, a@b,, ,c@d,', '|a|b ; |c|d'],
  ['"a b"@c', '|a b|c'],
  ['"a@x"@c', '|a@x|c'],
  ['"a"."b" . c @ d . e', '|a.b.c|d.e'],
  ['a@[192.0.2.1]', '|a|[192.0.2.1]'],
  ['<@x,@y:a@b>', '|a|b'],
  ['<@x, @y : a@b>', '|a|b'],
  ['Team: a@b, "C" <c@d>; e@f', '[Team ; |a|b ; C|c|d ; ] ; |e|f'],
  ['undisclosed-recipients:;', '[undisclosed-recipients ; ]'],
  ['=?utf-8?q?J=C3=B6rg?= <a@b>', 'Jörg|a|b'],
  ['=?utf-8?q?J=C3?= =?utf-8?q?=B6rg?= Last <a@b>', 'Jörg Last|a|b'],
  ['"=?utf-8?q?J=C3=B6rg?=" <a@b>', 'Jörg|a|b'],
  ['J\xc3\xb6rg <j\xc3\xb6rg@\xc3\xb6.example>', 'Jörg|jörg|ö.example'],
  ['J\xf6rg <a@b>', 'J\ufffdrg|a|b'],
  // Broken, but nobody is lost and nobody is invented.
  ['a@b <c@d>', 'a@b|c|d'],
  ['a@b@c', '|a@b|c'],
  ['<a@b> <c@d>', '|a|b ; |c|d'],
  ['<a@b, c@d', '|a|b ; |c|d'],
  ['<@x>, c@d', '||x ; |c|d'],
  ['Alice a@b', 'Alice|a|b'],
  ['Alice <root>', 'Alice|root|'],
  ['root', '|root|'],
  ['"unclosed <a@b>', '"unclosed|a|b'],
  ['(unclosed <a@b>', '(unclosed|a|b'],
  ['g: h: a@b;', '[g ; |a|b ; ]'],
  ['g: a@b', '[g ; |a|b ; ]'],
  ['a@b; c@d', '|a|b ; |c|d'],
  ['', ''],
  [' ,;:<>@ ', '[  ; ]'],
  ['<>', ''],
];

test('forms of addresses, obsolete and broken ones too', () => {
  for (const [value, expected] of FORMS) {
    if (value === ' ,;:<>@ ') assert.doesNotThrow(() => show(value));
    else assert.equal(show(value), expected, value);
  }
});

test('decoded names hold no line ends and no NUL', () => {
  const [address] = parseAddresses('=?utf-8?q?a=0D=0ABcc=3A=00x?= <a@b>');
  assert.equal(address?.name, 'a  Bcc:\ufffdx');
});

test('at most as many entries as were asked for', () => {
  assert.equal(parseAddresses('a@b,c@d,e@f', 2).length, 2);
});

const senders = (...from: string[]) =>
  readSenders(readHead(utf8(`${from.map((value) => `From: ${value}\r\n`).join('')}\r\n`)));

const FROM: readonly (readonly [readonly string[], string, boolean])[] = [
  [['a@b.example'], 'a@b.example', false],
  [['"Bob <bob@bank.example>" <a@b.example>'], 'a@b.example', false],
  [['bob@bank.example (x) , a@b.example'], 'bob@bank.example a@b.example', false],
  [['a@b.example', 'c@d.example'], 'a@b.example c@d.example', false],
  [['Team: a@b.example, c@d.example;'], 'a@b.example c@d.example', false],
  [['"A b"@B.Example'], '"A b"@b.example', false],
  [['a (c) . d @ (e) b.example'], 'a.d@b.example', false],
  [['bob@bank.example <a@b.example>'], 'a@b.example', true],
  [['<a@b.example> <c@d.example>'], 'a@b.example c@d.example', true],
  [['a@b.example@c.example'], '', true],
  [['"xclow3n@gmail.com x"@internal.example'], '"xclow3n@gmail.com x"@internal.example', false],
  [['=?utf-8?q?a=40b.example?='], '', true],
  [['Alice a@b.example'], 'a@b.example', true],
  [['"Alice <a@b.example>'], 'a@b.example', true],
  [['root'], '', true],
  [['"a"b@c.example'], '"ab"@c.example', true],
  [['a..b@c.example'], '', true],
  [['"a"@b@c.example'], '', true],
  [['a@b.example\0'], '', true],
  [['a@b.example, '], 'a@b.example', false],
  [['a@b.example\r\n (fold)'], 'a@b.example', false],
  [['a@xn--a'], '', true],
  [['a@-d.example'], '', true],
  [['jörg@ö.example'], 'jörg@xn--nda.example', false],
];

test('the sender check sees every address, and says when it cannot be sure', () => {
  for (const [from, addresses, malformed] of FROM) {
    const found = senders(...from);
    assert.equal(found.fields, from.length);
    assert.equal(found.addresses.map(formatAddress).join(' '), addresses, from.join(' + '));
    assert.equal(found.malformed, malformed, from.join(' + '));
  }
  assert.equal(senders('g: a@b.example;').group, true);
  assert.equal(senders('a@b.example').group, false);
});

test('octets that are no text are no sender', () => {
  const found = readSenders(readHead(fromLatin1('From: j\xf6rg@b.example\r\n\r\n')));
  assert.deepEqual([found.addresses, found.malformed], [[], true]);
});

test('a name before the colon with a space is a From field too', () => {
  const head = readHead(utf8('From : a@b.example\r\nfrom: c@d.example\r\n\r\n'));
  assert.deepEqual(readSenders(head).fields, 2);
});

test('any octets: never a throw; groups are balanced', () => {
  const odd = fc.constantFrom(
    '<',
    '>',
    '@',
    ',',
    ';',
    ':',
    '"',
    '(',
    ')',
    '\\',
    '.',
    ' ',
    '[',
    ']',
  );
  const text = fc.array(fc.oneof(odd, fc.string({ maxLength: 4 })), { maxLength: 60 });
  fc.assert(
    fc.property(text, (pieces) => {
      let depth = 0;
      for (const { local, domain } of parseAddresses(latin1(utf8(pieces.join(''))))) {
        if (domain === undefined) depth += local === '' ? -1 : 1;
        assert.ok(depth === 0 || depth === 1);
      }
      assert.equal(depth, 0);
    }),
  );
});

const tidy = (text: string) => text.replace(/[\x00-\x20\x7f\u0085\u2028\u2029]+/g, ' ').trim();

test('what is written is what is read', () => {
  const address = fc.constantFrom('a@b', '"x y"@c.example', 'a.b+c@[192.0.2.1]');
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(fc.record({ name, address }), { minLength: 1, maxLength: 4 }), (list) => {
      const field = formatMailboxes('To', list);
      const [read] = readHead(utf8(`${field}\r\n`)).fields;
      const found = parseAddresses(latin1(fromLatin1(read?.value ?? '')));
      assert.deepEqual(
        found.map((entry) => entry.name ?? ''),
        list.map((entry) => tidy(entry.name)),
      );
    }),
  );
});
