/** Directories are made for their owner alone, each level of them, and once. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '#test/engine/fixture.ts';
import { makeDirectory, syncDirectory } from './directories.ts';

test('makes what is missing of a path, closed to others', (t) => {
  const base = temporaryDirectory(t);
  makeDirectory(join(base, 'a', 'b', 'c'));
  for (const part of ['a', 'a/b', 'a/b/c']) {
    assert.equal(statSync(join(base, part)).mode & 0o777, 0o700, part);
  }
});

test('leaves what is there as it is', (t) => {
  const base = temporaryDirectory(t);
  mkdirSync(join(base, 'a'), { mode: 0o755 });
  makeDirectory(join(base, 'a'));
  makeDirectory(`${join(base, 'a', 'b')}/`);
  assert.equal(statSync(join(base, 'a')).mode & 0o777, 0o755);
  assert.ok(statSync(join(base, 'a', 'b')).isDirectory());
});

test('a file in the way, or a directory that is gone, is an error', (t) => {
  const base = temporaryDirectory(t);
  writeFileSync(join(base, 'file'), '');
  assert.throws(() => makeDirectory(join(base, 'file', 'a')), { code: 'ENOTDIR' });
  assert.throws(() => makeDirectory(join(base, 'file')), { code: 'EEXIST' });
  assert.throws(() => syncDirectory(join(base, 'none')), { code: 'ENOENT' });
});

test(
  'where nobody can make one it is an error, and soon',
  { skip: !existsSync('/proc/self') },
  () => {
    assert.throws(() => makeDirectory('/proc/none/of/these'), { code: 'ENOENT' });
  },
);
