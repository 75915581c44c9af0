/** The data directory: one server at a time, a secret of its own, the demo's accounts. */

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandError, EXIT } from '../exit.ts';
import { writeWhole } from '../files.ts';
import { inFolder } from '../testing.ts';
import { demoAccounts, existing } from './accounts.ts';
import { demoSettings } from './demo.ts';
import { installationKey } from './installation.ts';
import { lockDirectory } from './lock.ts';
import { openEngine } from './store.ts';

let drawn = 0;
const random = {
  bytes: (length: number) => Uint8Array.from({ length }, () => (drawn = (drawn * 73 + 41) % 251)),
};

test('a second server on the same directory is refused until the first one lets go', async () => {
  await inFolder(async (folder) => {
    const lock = lockDirectory(folder);
    assert.throws(
      () => lockDirectory(folder),
      (error) => {
        assert.ok(error instanceof CommandError);
        assert.equal(error.exit, EXIT.unavailable);
        assert.match(error.message, /another Postern serves/);
        return true;
      },
    );
    lock.release();
    lockDirectory(folder).release();
  });
});

test('a directory that others may write to is refused before anything is put there', async () => {
  await inFolder(async (folder) => {
    chmodSync(folder, 0o777);
    assert.throws(() => lockDirectory(folder), /others may write to/);
    assert.deepEqual(readdirSync(folder), []);
    chmodSync(folder, 0o700);
    const umask = process.umask(0);
    try {
      lockDirectory(folder).release();
    } finally {
      process.umask(umask);
    }
    assert.equal(statSync(join(folder, 'serve.lock')).mode & 0o777, 0o600);
  });
});

test('the installation key: made once, kept, for the owner alone; a damaged one is told', async () => {
  await inFolder(async (folder) => {
    const key = installationKey(folder, random);
    assert.equal(key.length, 32);
    assert.equal(statSync(join(folder, 'installation.key')).mode & 0o777, 0o600);
    assert.deepEqual([...installationKey(folder, random)], [...key]);
    writeFileSync(join(folder, 'installation.key'), 'short');
    assert.throws(() => installationKey(folder, random), /damaged: it has 5 octets/);
  });
});

test('writeWhole replaces a file at once and with its mode, and leaves nothing behind', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'f');
    writeWhole(file, 'old');
    chmodSync(file, 0o644);
    writeWhole(file, 'new', 0o600);
    assert.equal(readFileSync(file, 'utf8'), 'new');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.throws(() => writeWhole(join(folder, 'no', 'where'), 'x'), { code: 'ENOENT' });
  });
});

test('demo accounts: passwords at the first start only; a removed account stays removed', async () => {
  await inFolder(async (folder) => {
    const store = await openEngine(demoSettings(folder));
    try {
      const first = await demoAccounts(store, random, 1);
      assert.deepEqual(
        first.map(({ address }) => address),
        ['alice@demo.test', 'bob@demo.test', 'trap@demo.test'],
      );
      const passwords = first.map(({ password }) => password?.reveal() ?? '');
      assert.equal(new Set(passwords).size, 3);
      for (const password of passwords) assert.match(password, /^[A-Za-z2-9]{20}$/);
      const second = await demoAccounts(store, random, 2);
      assert.ok(second.every(({ password }) => password === undefined));
      const bob = store.directory.account('bob@demo.test');
      assert.ok(bob);
      await store.write('removeAccount', { account: bob.id });
      const third = existing(store, await demoAccounts(store, random, 3));
      assert.deepEqual(
        third.map(({ address }) => address),
        ['alice@demo.test', 'trap@demo.test'],
      );
    } finally {
      await store.close();
    }
  });
});
