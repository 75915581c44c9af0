/** Access tables as files: what is read, what is told of mistakes, what Postfix' tables say here. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parseAction } from './action.ts';
import { parseAccessTable, parseTableName } from './parse.ts';
import type { TableKind } from './parse.ts';

suite('access tables', () => {
  test('comments, continued lines and keys that come twice', () => {
    const table = read('# one\n\nA.test  REJECT\n   5.7.1 not\n\tyou\n  # two\na.test OK\n');
    const found = table.domain('a.test');
    assert.deepEqual(found, {
      key: 'a.test',
      action: { kind: 'refuse', code: 554, enhanced: '5.7.1', text: 'not you' },
    });
  });

  const wrong: readonly (readonly [text: string, kind: TableKind, line: number, why: RegExp])[] = [
    ['a.test', 'hash', 1, /no action/],
    ['\na.test FILTER smtp:x', 'hash', 2, /"FILTER"/],
    ['a.test 299 fine', 'hash', 1, /^$/],
    ['a.test 550 4.1.1 no', 'hash', 1, /550, which does not go with 4\.1\.1/],
    ['192.0.2.1/24 OK', 'cidr', 1, /host bits/],
    ['192.0.2.0/33 OK', 'cidr', 1, /longer than 32/],
    ['a.test OK', 'cidr', 1, /no network/],
    ['a.test REJECT caf\u00e9', 'hash', 1, /printable ASCII/],
    [`a.test REJECT ${'x'.repeat(401)}`, 'hash', 1, /400 characters/],
  ];
  for (const [text, kind, line, why] of wrong) {
    test(`${kind} ${JSON.stringify(text.slice(0, 40))}: ${why}`, () => {
      const parsed = parseAccessTable(text, kind);
      if (parsed.kind === 'table') assert.match('', why);
      else {
        assert.equal(parsed.errors[0]?.line, line);
        assert.match(parsed.errors[0]?.why ?? '', why);
      }
    });
  }

  const actions = [
    ['ok', 'permit'],
    ['550', 'refuse 550 5.7.1 '],
    ['450 4.2.0 come later', 'refuse 450 4.2.0 come later'],
    ['DEFER', 'refuse 450 4.7.1 '],
    ['REJECT go away', 'refuse 554 5.7.1 go away'],
    ['1', 'permit'],
    ['HOLD look at it', 'hold look at it'],
    ['DUNNO', 'dunno'],
  ] as const;
  for (const [text, expected] of actions) {
    test(`action ${text}: ${expected}`, () => {
      const action = parseAction(text);
      assert.ok(typeof action !== 'string', String(action));
      const { kind } = action;
      const more = 'text' in action ? ` ${action.text ?? ''}` : '';
      const code = action.kind === 'refuse' ? ` ${action.code} ${action.enhanced}` : '';
      assert.equal(`${kind}${code}${more}`, expected);
    });
  }

  test('names of tables', () => {
    assert.deepEqual(parseTableName('hash:/etc/a'), { kind: 'hash', path: '/etc/a' });
    assert.deepEqual(parseTableName('/etc/a'), { kind: 'hash', path: '/etc/a' });
    assert.deepEqual(parseTableName('cidr:/etc/a'), { kind: 'cidr', path: '/etc/a' });
    assert.match(String(parseTableName('pcre:/etc/a')), /type "pcre"/);
    assert.match(String(parseTableName('hash:')), /no file/);
  });

  test('any text is a table or a list of mistakes, in linear time', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), (text) => {
        parseAccessTable(text);
        parseAccessTable(text, 'cidr');
      }),
    );
    const started = process.cpuUsage().user;
    parseAccessTable(`${' '.repeat(200_000)}x\n`.repeat(10));
    assert.ok(process.cpuUsage().user - started < 2_000_000);
  });
});

function read(text: string) {
  const parsed = parseAccessTable(text);
  assert.ok(parsed.kind === 'table', JSON.stringify(parsed));
  return parsed.table;
}
