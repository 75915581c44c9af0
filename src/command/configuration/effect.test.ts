/** Every setting takes effect: a name that nothing reads would be a lie to the operator. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTINGS } from './settings.ts';

test('every setting is read where the server is put together', () => {
  const folder = fileURLToPath(new URL('../serve', import.meta.url));
  const files = readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name));
  const source = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const unread = [...SETTINGS.keys()].filter((name) => {
    const listener = /^(\w+)_listen$/.exec(name)?.[1];
    if (listener !== undefined && source.includes(`kind('${listener}'`)) return false;
    return !new RegExp(`\\b${name}\\b`).test(source);
  });
  assert.deepEqual(unread, []);
});
