/** Line numbers of names in TOML text. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { places } from './places.ts';

test('keys, tables, quoted and dotted names', () => {
  const toml = [
    '# a = 1',
    'a = 1',
    'list = [',
    '  "b = 2",',
    ']',
    'text = """',
    'c = 3',
    '"""',
    '"quoted.name" = 4',
    'dotted.name = 5',
    "['table one'.two]",
    'd = 6',
    '[[rows]]',
    '  e = "x = y" # f = 7',
  ].join('\n');
  const found = places(toml);
  assert.equal(found.get('a'), 2);
  assert.equal(found.get('list'), 3);
  assert.equal(found.get('text'), 6);
  assert.equal(found.get('c'), undefined);
  assert.equal(found.get('quoted.name'), 9);
  assert.equal(found.get('dotted.name'), 10);
  assert.equal(found.get('table one.two'), 11);
  assert.equal(found.get('table one.two.d'), 12);
  assert.equal(found.get('rows'), 13);
  assert.equal(found.get('rows.e'), 14);
  assert.equal(found.get('f'), undefined);
});

test('lines without end cost little', () => {
  assert.equal(places(`${'"'.repeat(1_000_000)}\na = 1`).get('a'), undefined);
  assert.equal(places(`${'['.repeat(100_000)}\na = 1`).get('a'), 2);
});
