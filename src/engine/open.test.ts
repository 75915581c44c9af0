/** Opening a store: modes, broken files, newer schemas, migrations with a copy. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { MIGRATIONS } from './migrate.ts';
import { openStore } from './store.ts';
import {
  addAccount,
  fill,
  mailboxOf,
  openTestStore,
  temporaryDirectory,
} from '#test/engine/fixture.ts';

const log = { event: () => undefined };
const open = (directory: string) => openStore({ directory, log, thread: false, foreignCheckMs: 0 });

function mode(path: string): number {
  return statSync(path).mode & 0o777;
}

test('what is made is for its owner only, whatever the umask', async (t) => {
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const it = await openTestStore(t, { limits: { inlineBytes: 1 } });
  await addAccount(it);
  const body = it.store.spool();
  await body.write(new Uint8Array(10));
  await body.finish();
  assert.equal(mode(it.directory), 0o700);
  assert.equal(mode(join(it.directory, 'spool')), 0o700);
  for (const file of readdirSync(it.directory).filter((name) => name.startsWith('postern.db'))) {
    assert.equal(mode(join(it.directory, file)), 0o600, file);
  }
  for (const file of readdirSync(join(it.directory, 'spool'))) {
    assert.equal(mode(join(it.directory, 'spool', file)), 0o600);
  }
});

test('a store where others may write is refused', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  for (const wrong of [0o777, 0o770, 0o722]) {
    mkdirSync(directory);
    chmodSync(directory, wrong);
    await assert.rejects(open(directory), {
      kind: 'permanent',
      code: 'store-unsafe',
      message: /chmod go-w/,
    });
    rmSync(directory, { recursive: true });
  }
  await (await open(directory)).close();
  for (const name of ['spool', 'postern.db']) {
    chmodSync(join(directory, name), 0o766);
    await assert.rejects(open(directory), { code: 'store-unsafe' }, name);
    chmodSync(join(directory, name), name === 'spool' ? 0o700 : 0o600);
  }
});

test('a link or a directory where a file should be is refused', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  mkdirSync(directory, { mode: 0o700 });
  const database = join(directory, 'postern.db');
  symlinkSync('/etc/passwd', database);
  await assert.rejects(open(directory), { kind: 'permanent', code: 'store-unsafe' });
  rmSync(database);
  mkdirSync(database, { mode: 0o700 });
  await assert.rejects(open(directory), { kind: 'permanent', code: 'store-unsafe' });
  rmSync(database, { recursive: true });
  rmSync(join(directory, 'spool'), { recursive: true });
  symlinkSync('/tmp', join(directory, 'spool'));
  await assert.rejects(open(directory), { kind: 'permanent', code: 'store-unsafe' });
  const file = join(temporaryDirectory(t), 'file');
  writeFileSync(file, 'x');
  await assert.rejects(open(file), { kind: 'permanent', message: new RegExp(file) });
});

test('broken database files are refused with their name and the cure', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await fill(it, (await mailboxOf(it, account)).id, 200);
  await it.store.close();
  const file = join(it.directory, 'postern.db');
  const good = readFileSync(file);
  const damages: Record<string, () => void> = {
    'not SQLite': () => writeFileSync(file, 'this is no database\n'.repeat(100)),
    'only a header': () => truncateSync(file, 100),
    truncated: () => truncateSync(file, good.length - 4096 * 3 - 7),
    'cut at a page': () => truncateSync(file, good.length - 4096 * 3),
    'a page of noise': () => {
      const descriptor = openSync(file, 'r+');
      const at = Math.floor(good.length / 4096 / 2) * 4096;
      writeSync(descriptor, new Uint8Array(4096).fill(0xa5), 0, 4096, at);
    },
    'somebody else’s': () => {
      rmSync(file);
      const database = new DatabaseSync(file);
      database.exec('CREATE TABLE bookmarks (url TEXT)');
      database.close();
      chmodSync(file, 0o600);
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    writeFileSync(file, good);
    damage();
    const message = new RegExp(`${file} .*backup`);
    const expected = { kind: 'permanent', code: 'store-broken', message };
    await assert.rejects(open(it.directory), expected, name);
  }
  writeFileSync(file, good);
  const again = await it.reopen();
  assert.equal((await mailboxOf(again, account)).messages, 200);
});

test('a page that breaks later is a failure of the read, not a wrong answer', async (t) => {
  const it = await openTestStore(t, { limits: { checkedBytes: 0 } });
  const account = await addAccount(it);
  const inbox = await mailboxOf(it, account);
  await fill(it, inbox.id, 500);
  await it.store.close();
  const file = join(it.directory, 'postern.db');
  const descriptor = openSync(file, 'r+');
  const pages = readFileSync(file).length / 4096;
  for (let page = Math.floor(pages / 2); page < pages; page += 1) {
    writeSync(descriptor, new Uint8Array(4096).fill(0xa5), 0, 4096, page * 4096);
  }
  const again = await it.reopen();
  await assert.rejects(
    async () =>
      again.store.mail.messages(inbox.id, [[1, 999]], { limit: 999, details: ['search'] }),
    { kind: 'permanent', code: 'store-broken', message: new RegExp(file) },
  );
  await assert.rejects(fill(again, inbox.id, 300), { kind: 'temporary', code: 'store-broken' });
  await again.store.close();
});

test('a newer schema is refused and left as it is', async (t) => {
  const it = await openTestStore(t);
  await it.store.close();
  const file = join(it.directory, 'postern.db');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  const before = readFileSync(file);
  await assert.rejects(open(it.directory), {
    kind: 'permanent',
    code: 'schema-newer',
    message: /schema 99/,
  });
  assert.ok(readFileSync(file).equals(before));
});

test('a migration runs once, after a copy; a failed one changes nothing', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await fill(it, (await mailboxOf(it, account)).id, 3);
  await it.store.close();
  const { directory } = it;
  const [newest, next] = [MIGRATIONS.length, MIGRATIONS.length + 1];
  const copy = join(directory, `postern.db.before-${next}`);
  const options = { directory, log, thread: false, foreignCheckMs: 0 };
  const second = {
    number: next,
    name: 'second',
    sql: `ALTER TABLE mailboxes ADD COLUMN colour TEXT; PRAGMA user_version = ${next};`,
  };
  const broken = { ...second, sql: `${second.sql} INSERT INTO nowhere VALUES (1);` };
  await assert.rejects(openStore(options, [...MIGRATIONS, broken]), /nowhere/);
  assert.deepEqual(it.row('PRAGMA user_version'), [newest]);
  rmSync(copy);
  const store = await openStore(options, [...MIGRATIONS, second]);
  await store.close();
  assert.deepEqual(it.row('PRAGMA user_version'), [next]);
  assert.deepEqual(it.row('SELECT count(colour) + messages FROM mailboxes WHERE id = 1'), [3]);
  assert.equal(mode(copy), 0o600);
  const old = new DatabaseSync(copy, { readOnly: true });
  assert.equal(old.prepare('PRAGMA user_version').get()?.['user_version'], newest);
  assert.equal(old.prepare('SELECT count(*) AS n FROM messages').get()?.['n'], 3);
  old.close();
  rmSync(copy);
  await (await openStore(options, [...MIGRATIONS, second])).close();
  assert.ok(!existsSync(copy), 'no copy when nothing is migrated');
});

test('the schema numbers follow one another, and each sets its own', () => {
  MIGRATIONS.forEach(({ number, sql }, index) => {
    assert.equal(number, index + 1);
    assert.match(sql, new RegExp(`PRAGMA user_version = ${number};\\s*$`));
  });
});

test('durable settings are really on', async (t) => {
  const it = await openTestStore(t);
  const { Connection } = await import('./connection.ts');
  const writer = Connection.writer(join(it.directory, 'postern.db'), 0);
  const setting = (sql: string) => Object.values(writer.get<object>(sql) ?? {})[0];
  assert.equal(setting('PRAGMA journal_mode'), 'wal');
  assert.equal(setting('PRAGMA synchronous'), 2);
  assert.equal(setting('PRAGMA foreign_keys'), 1);
  assert.equal(setting('PRAGMA trusted_schema'), 0);
  assert.throws(
    () => writer.exec('PRAGMA writable_schema = ON; DELETE FROM sqlite_schema'),
    /may not be modified/,
  );
  writer.close();
});
