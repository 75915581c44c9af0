/** Text for terminals: nothing from outside steers them; colours only where they are wanted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, property, string } from 'fast-check';
import { columns, harmless, styled, wantsColour } from './io.ts';

const ESCAPED: readonly (readonly [text: string, shown: string])[] = [
  ['Grüße, 世界 🎉', 'Grüße, 世界 🎉'],
  ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
  ['a\r\nb\tc\0', 'a\\r\\nb\\tc\\x00'],
  ['\x9b2J', '\\x9b2J'],
  ['abc\u202egpj.exe', 'abc\\u202egpj.exe'],
  ['\u2066x\u2069\u200f\u061c', '\\u2066x\\u2069\\u200f\\u061c'],
  ['line\u2028para\u2029', 'line\\u2028para\\u2029'],
  ['\ufeff\u200b', '\\ufeff\\u200b'],
  ['\ud800', '\\ud800'],
];

for (const [text, shown] of ESCAPED) {
  test(`harmless: ${shown}`, () => assert.equal(harmless(text), shown));
}

test('harmless never leaves a control character, and caps', () => {
  check(
    property(string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(harmless(text), /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/);
    }),
  );
  assert.equal(harmless('x'.repeat(1_000_000), 10), 'xxxxxxxxxx...');
});

test('NO_COLOR, dumb terminals and pipes get no colours', () => {
  assert.equal(wantsColour({}, true), true);
  assert.equal(wantsColour({}, false), false);
  assert.equal(wantsColour({ NO_COLOR: '1' }, true), false);
  assert.equal(wantsColour({ NO_COLOR: '' }, true), true);
  assert.equal(wantsColour({ TERM: 'dumb' }, true), false);
  assert.equal(styled({ colour: false }, 'red', 'x'), 'x');
  assert.equal(styled({ colour: true }, 'red', 'x'), '\x1b[31mx\x1b[39m');
});

test('columns', () => {
  assert.equal(columns([['a', 'bb', 'c'], ['ddd', '', 'e'], ['f']]), 'a    bb  c\nddd      e\nf\n');
});
