/** docs/configuration.md says what the program says, and every setting is declared properly. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationPage, explainSetting } from './document.ts';
import { SETTINGS } from './settings.ts';
import { formatRaw } from './toml.ts';

test('docs/configuration.md is current (npx postern config docs > docs/configuration.md)', () => {
  const file = new URL('../../../docs/configuration.md', import.meta.url);
  assert.equal(readFileSync(file, 'utf8'), configurationPage());
});

test('every setting has one sentence and a form', () => {
  for (const [name, setting] of SETTINGS) {
    assert.match(name, /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/, name);
    assert.match(setting.doc, /^[A-Z].*\.$/s, name);
    assert.doesNotMatch(setting.doc, /[.!] [A-Z]|\n/, `${name}: one sentence`);
    assert.ok(
      explainSetting(name, setting).every((line) => line.length < 400),
      name,
    );
  }
});

test('values as TOML', () => {
  assert.equal(formatRaw('a"b\x7f\n'), '"a\\"b\\u007f\\n"');
  assert.equal(formatRaw(['a', 1, true]), '["a", 1, true]');
  assert.equal(formatRaw({}), '{}');
  assert.equal(formatRaw({ 'a.b': ['c'] }), '{ "a.b" = ["c"] }');
});
