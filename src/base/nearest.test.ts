/** Suggestions for names with a typo. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

const NAMES = ['myhostname', 'mynetworks', 'relayhost', 'smtp_port'];

const CASES: readonly (readonly [text: string, expected: string | undefined])[] = [
  ['myhostname', 'myhostname'],
  ['MyHostName', 'myhostname'],
  ['myhostnmae', 'myhostname'],
  ['mynetwork', 'mynetworks'],
  ['relay_host', 'relayhost'],
  ['smtpport', 'smtp_port'],
  ['x', undefined],
  ['', undefined],
  ['databse', undefined],
];

for (const [text, expected] of CASES) {
  test(`${text || 'nothing'} -> ${expected ?? 'nothing'}`, () => {
    assert.equal(nearest(text, NAMES), expected);
  });
}

test('very long names cost little', () => {
  assert.equal(nearest('a'.repeat(1_000_000), NAMES), undefined);
});
