/** Bodies in memory and in files: written, read by ranges, shared, damaged, freed, left over. */

import assert from 'node:assert/strict';
import {
  existsSync,
  readFileSync,
  readdirSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { ContentId } from '#base/brand.ts';
import { concat } from '#base/bytes.ts';
import type { SpooledBody } from '#store/content.ts';
import {
  START_MS,
  acceptanceOf,
  addAccount,
  contentOf,
  deliveryOf,
  mailboxOf,
  messageOf,
  openTestStore,
  recipientOf,
  relayOf,
} from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';

const HOUR_MS = 3_600_000;

/** Octets that differ everywhere. */
function bodyOf(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 8) * 7) & 0xff);
}

async function spool(it: TestStore, body: Uint8Array, piece = 70_001) {
  const spool = it.store.spool();
  for (let at = 0; at < body.length; at += piece) await spool.write(body.slice(at, at + piece));
  assert.equal(spool.sizeBytes, body.length);
  return { spool, finished: await spool.finish() };
}

function files(it: TestStore): string[] {
  return readdirSync(join(it.directory, 'spool'));
}

async function storeLarge(it: TestStore, body: Uint8Array) {
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  const { finished } = await spool(it, body);
  const { head } = contentOf('');
  const content = { head, body: finished };
  await it.do('append', { mailbox: id, messages: [messageOf({ content })] });
  const [message] = await it.store.mail.messages(id, [[1, 1]], { limit: 1 });
  return { id, message: message!, whole: concat([head, body]), finished: finished as SpooledBody };
}

test('small bodies stay in memory, large ones become a file', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 1000 } });
  const small = await spool(it, bodyOf(1000), 7);
  assert.deepEqual(small.finished, Buffer.from(bodyOf(1000)));
  assert.deepEqual(files(it), []);
  const large = await spool(it, bodyOf(1001), 7);
  assert.ok(!(large.finished instanceof Uint8Array));
  assert.deepEqual(files(it), [large.finished.name]);
  assert.deepEqual(
    readFileSync(join(it.directory, 'spool', large.finished.name)),
    Buffer.from(bodyOf(1001)),
  );
  large.spool.discard();
  small.spool.discard();
  for (let wait = 0; wait < 50 && files(it).length > 0; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.deepEqual(files(it), []);
  const empty = it.store.spool();
  assert.deepEqual(await empty.finish(), Buffer.alloc(0));
});

test('a large body is read back by ranges, whatever their ends', async (t) => {
  const it = await openTestStore(t, { thread: true });
  const { message, whole } = await storeLarge(it, bodyOf(300_000));
  assert.equal(message.sizeBytes, whole.length);
  const { headBytes } = message;
  const edges = [0, 1, headBytes - 1, headBytes, headBytes + 1, 65_536, headBytes + 65_536];
  for (const from of [...edges, whole.length - 1, whole.length, whole.length + 9]) {
    for (const length of [0, 1, headBytes, 65_536, 65_537, 131_073, whole.length + 5]) {
      const octets = await it.store.mail.octets(message.content, from, length);
      assert.ok(
        Buffer.from(octets).equals(whole.subarray(from, from + length)),
        `${from}+${length}`,
      );
    }
  }
});

test('a body in memory that is too large for the database becomes a file by itself', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 1000 } });
  const alice = await addAccount(it);
  const bob = await addAccount(it, 'bob@demo.test');
  const body = bodyOf(5000);
  const deliveries = [alice, bob].map((account) =>
    deliveryOf(account, { content: contentOf(body, `for ${account}`) }),
  );
  const relay = relayOf([recipientOf('x@x.example')], { content: contentOf(body) });
  await it.do('accept', { acceptance: acceptanceOf('q1', { deliveries, relay }) });
  assert.equal(files(it).length, 1, 'one file for all');
  assert.deepEqual(it.row('SELECT count(*), sum(refs) FROM files'), [1, 3]);
  const { id } = await mailboxOf(it, bob);
  const [message] = await it.store.mail.messages(id, [[1, 1]], { limit: 1 });
  const octets = await it.store.mail.octets(message!.content, message!.headBytes, 9999);
  assert.ok(Buffer.from(octets).equals(body));
  // What is refused leaves no file behind.
  const lost = it.do('accept', {
    acceptance: acceptanceOf('q1', { deliveries: [], relay }),
  });
  await assert.rejects(lost, /UNIQUE constraint/);
  for (let wait = 0; wait < 50 && files(it).length > 1; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(files(it).length, 1);
});

test('discarding a body that a row names removes nothing', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 10 } });
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  const { spool: body, finished } = await spool(it, bodyOf(100));
  const content = { ...contentOf(''), body: finished };
  await it.do('append', { mailbox: id, messages: [messageOf({ content })] });
  body.discard();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(files(it).length, 1);
});

test('a body file that is gone, or no longer whole, is not accepted', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 10 } });
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  const append = (body: SpooledBody) =>
    it.do('append', {
      mailbox: id,
      messages: [messageOf({ content: { ...contentOf(''), body } })],
    });
  const { finished } = await spool(it, bodyOf(100));
  const body = finished as SpooledBody;
  for (const name of ['none', '../postern.db', '..', '']) {
    await assert.rejects(append({ ...body, name }), { code: 'spool-missing', kind: 'temporary' });
  }
  truncateSync(join(it.directory, 'spool', body.name), 50);
  await assert.rejects(append(body), { code: 'spool-missing' });
});

test('one bit that changed is noticed, in the database and in a file', async (t) => {
  const it = await openTestStore(t);
  const { id, message, finished } = await storeLarge(it, bodyOf(200_000));
  await it.do('append', { mailbox: id, messages: [messageOf()] });
  const [, small] = await it.store.mail.messages(id, [[1, 2]], { limit: 2 });
  const path = join(it.directory, 'spool', finished.name);
  const bytes = readFileSync(path);
  bytes[150_000]! ^= 4;
  writeFileSync(path, bytes);
  const database = new DatabaseSync(`${it.directory}/postern.db`);
  database
    .prepare('UPDATE octets SET bytes = ? WHERE content = ?')
    .run(Buffer.from('texT\r\n'), small!.content);
  database.close();
  const read = async (content: ContentId, from: number) => it.store.mail.octets(content, from, 10);
  const damaged = { code: 'content-damaged', kind: 'permanent' };
  await assert.rejects(read(message.content, 150_000), damaged);
  assert.equal((await read(message.content, 10)).length, 10, 'other blocks are still good');
  await assert.rejects(read(small!.content, 0), damaged);
  truncateSync(path, 100);
  await assert.rejects(read(message.content, 199_000), damaged);
  await assert.rejects(read(99 as ContentId, 0), { code: 'no-such-content' });
});

test('a head that changed on disk is not brought along, and its octets are damaged', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await it.do('append', { mailbox: id, messages: [messageOf(), messageOf()] });
  const database = new DatabaseSync(`${it.directory}/postern.db`);
  database
    .prepare('UPDATE contents SET head = ? WHERE id = 1')
    .run(Buffer.from('Subject: hellO\r\n\r\n'));
  database.close();
  const options = { limit: 2, parts: ['head'] } as const;
  const [damaged, whole] = await it.store.mail.summaries(id, [[1, 2]], options);
  assert.deepEqual([damaged!.lacking, damaged!.head.length], [true, 0]);
  assert.deepEqual(
    [whole!.lacking, Buffer.from(whole!.head).toString()],
    [false, 'Subject: hello\r\n\r\n'],
  );
  const [message] = await it.store.mail.messages(id, [[1, 1]], { limit: 1 });
  await assert.rejects(async () => it.store.mail.octets(message!.content, 0, 5), {
    code: 'content-damaged',
  });
});

test('sweep frees contents an hour after their last reference, and their files', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 10 } });
  const { id, message } = await storeLarge(it, bodyOf(100));
  const sweep = () => it.do('sweep', { nowMs: it.clock.nowMs, ledgerDays: 30 });
  await it.do('expunge', { mailbox: id, uids: undefined, onlyDeleted: false, nowMs: START_MS });
  it.clock.nowMs += HOUR_MS - 1;
  assert.deepEqual(await sweep(), { kind: 'swept', contents: 0, entries: 0 });
  assert.equal(files(it).length, 1);
  it.clock.nowMs += 1;
  assert.deepEqual(await sweep(), { kind: 'swept', contents: 1, entries: 0 });
  assert.deepEqual(files(it), []);
  for (const table of ['contents', 'octets', 'files']) {
    assert.deepEqual(it.row(`SELECT count(*) FROM ${table}`), [0], table);
  }
  await assert.rejects(async () => it.store.mail.octets(message.content, 0, 9), {
    code: 'no-such-content',
  });
});

test('a content that is still used somewhere stays', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 10 } });
  const { id, message, whole } = await storeLarge(it, bodyOf(100));
  const nowMs = START_MS;
  await it.do('copy', { from: id, to: id, uids: [[1, 1]], move: false, nowMs });
  await it.do('expunge', { mailbox: id, uids: [[1, 1]], onlyDeleted: false, nowMs });
  const swept = await it.do('sweep', { nowMs: nowMs + 2 * HOUR_MS, ledgerDays: 30 });
  assert.deepEqual(swept, { kind: 'swept', contents: 0, entries: 0 });
  const octets = await it.store.mail.octets(message.content, 0, 999);
  assert.ok(Buffer.from(octets).equals(whole));
});

test('files that nobody names go when they are old, at the start and with each sweep', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 10 } });
  const { finished } = await storeLarge(it, bodyOf(100));
  const leave = (name: string, ageMs: number): void => {
    const path = join(it.directory, 'spool', name);
    writeFileSync(path, 'x');
    const seconds = (Date.now() - ageMs) / 1000;
    utimesSync(path, seconds, seconds);
  };
  const old = (name: string): void => {
    const seconds = (Date.now() - 2 * HOUR_MS) / 1000;
    utimesSync(join(it.directory, 'spool', name), seconds, seconds);
  };
  leave('left-old', 2 * HOUR_MS);
  leave('left-young', 1000);
  const { finished: waiting } = await spool(it, bodyOf(50));
  const { name } = waiting as SpooledBody;
  old(name);
  old(finished.name);
  await it.do('sweep', { nowMs: START_MS, ledgerDays: 30 });
  assert.deepEqual(files(it).sort(), [finished.name, name, 'left-young'].sort());
  leave('left-old', 2 * HOUR_MS);
  const again = await it.reopen();
  await again.store.close();
  assert.deepEqual(files(it).sort(), [finished.name, 'left-young'].sort());
});

test('few files are kept open, and all can be read at once', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 10, openFiles: 2 } });
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  const bodies = Array.from({ length: 8 }, (_, at) => bodyOf(100 + at));
  const messages = await Promise.all(
    bodies.map(async (body) => {
      const { finished } = await spool(it, body);
      return messageOf({ content: { ...contentOf(''), body: finished } });
    }),
  );
  await it.do('append', { mailbox: id, messages });
  const stored = await it.store.mail.messages(id, [[1, 8]], { limit: 8 });
  const read = await Promise.all(
    [...stored, ...stored].map(({ content, headBytes }) =>
      it.store.mail.octets(content, headBytes, 999),
    ),
  );
  assert.deepEqual(
    read.map(({ length }) => length),
    [...bodies, ...bodies].map(({ length }) => length),
  );
});

test('a sync that was begun early and failed is heard of at the end, and syncs do not pile up', async (t) => {
  const it = await openTestStore(t);
  const probe = await open(join(it.directory, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(probe) as typeof probe;
  await probe.close();
  let syncs = 0;
  let fail = true;
  t.mock.method(prototype, 'datasync', async () => {
    syncs += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (fail && syncs === 1) throw Object.assign(new Error('EIO: test'), { code: 'EIO' });
  });
  const body = bodyOf(5_000_000);
  await assert.rejects(spool(it, body), { code: 'disk-error' });
  assert.equal(syncs, 1, 'after a failed sync none is believed');
  [fail, syncs] = [false, 0];
  const { finished, spool: sound } = await spool(it, body);
  assert.ok(syncs >= 2 && syncs <= 3, `${syncs} syncs: early ones, and the last`);
  assert.ok(!(finished instanceof Uint8Array));
  sound.discard();
});

test('a spool that cannot write fails temporarily', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 10 } });
  const { rmSync } = await import('node:fs');
  rmSync(join(it.directory, 'spool'), { recursive: true });
  const body = it.store.spool();
  await body.write(bodyOf(100));
  await assert.rejects(async () => body.finish(), { kind: 'temporary', code: 'disk-error' });
  body.discard();
  assert.ok(!existsSync(join(it.directory, 'spool')));
});
