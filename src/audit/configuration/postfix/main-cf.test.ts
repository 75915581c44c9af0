/** main.cf as Postfix reads it: continuations, comments, references, lists and tables. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseMainCf } from './main-cf.ts';
import { isPlain, parseAliases, parseTable, parseTableName } from './tables.ts';
import { splitList, valuesOf } from './values.ts';

suite('main.cf', () => {
  const file = parseMainCf(
    [
      '# a comment',
      'myhostname = mail.example.org',
      'mynetworks = 127.0.0.0/8,',
      '# a comment within',
      '  192.0.2.0/24 [2001:db8::]/32',
      '',
      'smtpd_relay_restrictions=permit_mynetworks',
      '\treject_unauth_destination',
      'nonsense',
      'bad name = x',
      'virtual = ${mydomain?yes} ${nothing:no} $mydomain$$ $unknown',
      'myhostname = mx.example.org',
      'loop = $loop',
      'queue = 5d',
      'plain = 90',
    ].join('\n'),
  );
  const values = valuesOf(file);
  const cases: readonly (readonly [what: string, got: unknown, expected: unknown])[] = [
    ['the last of two counts', values.text('myhostname'), 'mx.example.org'],
    ['a default follows from it', values.text('mydomain'), 'example.org'],
    [
      'a list over comments',
      values.list('mynetworks'),
      ['127.0.0.0/8', '192.0.2.0/24', '[2001:db8::]/32'],
    ],
    ['no blanks around =', values.list('smtpd_relay_restrictions').length, 2],
    ['conditions', values.text('virtual'), 'yes no example.org$ $unknown'],
    ['a reference to itself ends', values.text('loop'), '$loop'],
    ['a time with a unit', values.seconds('queue', 's'), 432_000],
    ['a time without', values.seconds('plain', 'm'), 5_400],
    ['a default of Postfix', values.yes('disable_vrfy_command'), false],
    ['the default destinations', values.list('mydestination')[1], 'localhost.example.org'],
    ['not set', values.given('disable_vrfy_command'), false],
    ['unknown', values.text('no_such_parameter'), undefined],
    ['what is wrong is told', file.defects.map(({ line }) => line), [9, 10, 12]],
    ['groups in lists', splitList('a, { b c } d'), ['a', 'b c', 'd']],
    ['a bomb of references', bomb().length <= 100_000, true],
  ];
  for (const [what, got, expected] of cases) {
    test(what, () => assert.deepEqual(got, expected));
  }
});

suite('tables', () => {
  test('names', () => {
    assert.deepEqual(parseTableName('proxy:hash:/etc/x'), { type: 'hash', path: '/etc/x' });
    assert.equal(parseTableName('/etc/mailname'), undefined);
    assert.equal(isPlain({ type: 'mysql', path: '/etc/x.cf' }), false);
    assert.equal(isPlain({ type: 'cidr', path: '/etc/x' }), true);
  });
  test('rows continue, comments do not count', () => {
    assert.deepEqual(parseTable('# c\na@b.test  x@y.test,\n  z@y.test\n\n@d.test\tall@b.test\nk'), [
      { key: 'a@b.test', value: 'x@y.test, z@y.test', line: 2 },
      { key: '@d.test', value: 'all@b.test', line: 5 },
      { key: 'k', value: '', line: 6 },
    ]);
  });
  test('aliases', () => {
    assert.deepEqual(parseAliases('postmaster: root\n"a b": c, d\nnonsense\n'), [
      { key: 'postmaster', value: 'root', line: 1 },
      { key: 'a b', value: 'c, d', line: 2 },
    ]);
  });
});

/** 2^40 characters if nobody stopped it. */
function bomb(): string {
  const lines = ['a0 = xx'];
  for (let at = 1; at < 40; at += 1) lines.push(`a${at} = $a${at - 1}$a${at - 1}`);
  return valuesOf(parseMainCf(lines.join('\n'))).text('a39') ?? '';
}
