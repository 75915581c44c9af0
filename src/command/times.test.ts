/** Moments and spans of time for people. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, moment } from './times.ts';

test('durations show the two largest units', () => {
  const table: readonly (readonly [ms: number, text: string])[] = [
    [-5, '0s'],
    [999, '0s'],
    [61_000, '1m 1s'],
    [3_600_000, '1h'],
    [3_605_000, '1h'],
    [93_784_000, '1d 2h'],
  ];
  for (const [ms, text] of table) assert.equal(duration(ms), text);
});

test('moments', () => {
  assert.equal(moment(0), '1970-01-01 00:00:00 UTC');
  assert.equal(moment(Number.POSITIVE_INFINITY), 'never');
});
