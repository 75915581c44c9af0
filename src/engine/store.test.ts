/** The store as a whole: group commit, watchers, other processes, full disks, closing. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import type { MailboxId } from '#base/brand.ts';
import { Durable } from '#store/durable.ts';
import { Connection } from './connection.ts';
import { WriterCore } from './writer/core.ts';
import { storeLimits } from './options.ts';
import {
  CREDENTIALS,
  START_MS,
  acceptanceOf,
  addAccount,
  contentOf,
  deliveryOf,
  fill,
  mailboxOf,
  messageOf,
  openTestStore,
} from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';

async function deliver(it: TestStore, id: string): Promise<Durable> {
  const account = it.store.directory.account('alice@demo.test')!.id;
  const deliveries = [deliveryOf(account, { content: contentOf(`${id}\r\n`, id) })];
  const committed = await it.store.write('accept', {
    acceptance: acceptanceOf(id, { deliveries }),
  });
  return committed.durable;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

for (const thread of [false, true]) {
  const where = thread ? 'a thread' : 'this thread';

  test(`what is written in one turn shares one commit (writer in ${where})`, async (t) => {
    const it = await openTestStore(t, { thread });
    const account = await addAccount(it);
    const before = it.store.counters();
    const proofs = await Promise.all(Array.from({ length: 100 }, (_, at) => deliver(it, `m${at}`)));
    const after = it.store.counters();
    assert.equal(after.commits - before.commits, 1);
    assert.equal(after.operations - before.operations, 100);
    assert.ok(proofs.every((proof) => proof instanceof Durable));
    assert.equal(new Set(proofs.map(({ sequence }) => sequence)).size, 1);
    const inbox = await mailboxOf(it, account);
    assert.deepEqual([inbox.messages, inbox.uidNext], [100, 101]);
    const all = await it.store.mail.messages(inbox.id, [[1, 100]], { limit: 200 });
    const octets = await Promise.all(
      all.map(({ content }) => it.store.mail.octets(content, 0, 100)),
    );
    const expected = Array.from({ length: 100 }, (_, at) => `Subject: m${at}\r\n\r\nm${at}\r\n`);
    assert.deepEqual(
      octets.map((bytes) => Buffer.from(bytes).toString()),
      expected,
    );
  });

  test(`a failure undoes its own operation only (writer in ${where})`, async (t) => {
    const it = await openTestStore(t, { thread });
    const account = await addAccount(it);
    const bad = deliveryOf(account, { account: 77 as typeof account });
    const mixed = acceptanceOf('bad', { deliveries: [deliveryOf(account), bad] });
    const [first, second, third] = await Promise.allSettled([
      deliver(it, 'a'),
      it.do('accept', { acceptance: mixed }),
      deliver(it, 'b'),
    ]);
    assert.equal(first.status, 'fulfilled');
    assert.equal(third.status, 'fulfilled');
    assert.equal(second.status === 'rejected' && second.reason.code, 'no-such-account');
    assert.equal((await mailboxOf(it, account)).messages, 2);
  });

  test(`watchers hear of what a batch touched, after its answers (in ${where})`, async (t) => {
    const it = await openTestStore(t, { thread });
    const account = await addAccount(it);
    const inbox = await mailboxOf(it, account);
    const trash = await mailboxOf(it, account, 'Trash');
    const heard: string[] = [];
    it.store.watchMailbox(inbox.id, () => {
      throw new Error('a broken listener');
    });
    const stop = it.store.watchMailbox(inbox.id, () => heard.push('inbox'));
    it.store.watchMailbox(trash.id, () => heard.push('trash'));
    it.store.watchQueue(() => heard.push('queue'));
    await it.store.write('append', { mailbox: inbox.id, messages: [messageOf()] });
    heard.push('answered');
    await turn();
    assert.deepEqual(heard, ['answered', 'inbox']);
    assert.ok(it.events.some(({ name }) => name === 'watcher-failed'));
    const uids = [[1, 1]] as const;
    await it.do('copy', { from: inbox.id, to: trash.id, uids, move: true, nowMs: START_MS });
    await turn();
    assert.deepEqual(heard.splice(2).sort(), ['inbox', 'trash']);
    stop();
    stop();
    await fill(it, inbox.id, 1);
    await turn();
    assert.deepEqual(heard.length, 2);
    // Nothing changed: nobody is called.
    await it.do('expunge', { mailbox: trash.id, uids: [], onlyDeleted: true, nowMs: START_MS });
    await turn();
    assert.deepEqual(heard.length, 2);
  });

  test(`close finishes what was asked, then takes nothing more (in ${where})`, async (t) => {
    const it = await openTestStore(t, { thread });
    const account = await addAccount(it);
    const writes = [deliver(it, 'a'), deliver(it, 'b')];
    const closing = it.store.close();
    await assert.rejects(deliver(it, 'c'), { kind: 'temporary' });
    await Promise.all([...writes, closing, it.store.close()]);
    assert.throws(() => it.store.queue.size(), { code: 'store-closed' });
    const again = await it.reopen();
    assert.equal((await mailboxOf(again, account)).messages, 2);
  });
}

test('writes that come while a commit runs share the next one', async (t) => {
  const it = await openTestStore(t, { thread: true });
  await addAccount(it);
  const before = it.store.counters();
  let sent = 0;
  const session = async (): Promise<void> => {
    while (sent < 500) {
      sent += 1;
      await deliver(it, `m${sent}`);
    }
  };
  await Promise.all(Array.from({ length: 50 }, session));
  const after = it.store.counters();
  assert.ok(after.operations - before.operations >= 500);
  const commits = after.commits - before.commits;
  assert.ok(commits <= 125, `${commits} commits for ${sent} messages`);
});

test('too much that waits is refused, and what waits is written', async (t) => {
  const it = await openTestStore(t, { limits: { queuedOperations: 10, queuedBytes: 1000 } });
  const account = await addAccount(it);
  const results = await Promise.allSettled(
    Array.from({ length: 15 }, (_, at) => it.do('subscribe', { account, name: `${at}`, on: true })),
  );
  const failed = results.filter((result) => result.status === 'rejected');
  assert.equal(failed.length, 5);
  assert.ok(failed.every(({ reason }) => reason.code === 'store-busy'));
  const large = () => {
    const content = contentOf('x'.repeat(900));
    const deliveries = [deliveryOf(account, { content })];
    return it.do('accept', { acceptance: acceptanceOf('q', { deliveries }) });
  };
  const [first, second] = await Promise.allSettled([large(), large()]);
  assert.equal(first?.status, 'fulfilled');
  assert.equal(second?.status, 'rejected');
  assert.equal((await mailboxOf(it, account)).messages, 1);
  assert.equal(it.store.counters().waiting, 0);
});

test('octets of one buffer that many messages share arrive as their own', async (t) => {
  const it = await openTestStore(t, { thread: true });
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  const slab = Buffer.from('Subject: a\r\n\r\nfirst\r\nSubject: b\r\n\r\nsecond\r\n');
  const cut = (from: number, to: number) => slab.subarray(from, to);
  const contents = [
    { head: cut(0, 14), body: cut(14, 21) },
    { head: cut(21, 35), body: cut(35, 43) },
  ];
  const messages = contents.map((content) => messageOf({ content }));
  await it.do('append', { mailbox: id, messages });
  const stored = await it.store.mail.messages(id, [[1, 2]], { limit: 2 });
  const texts = await Promise.all(
    stored.map(async ({ content }) =>
      Buffer.from(await it.store.mail.octets(content, 0, 99)).toString(),
    ),
  );
  assert.equal(texts.join(''), slab.toString());
  assert.equal(slab.length, 43, 'the caller keeps its memory');
});

test('another process that writes is noticed: watchers, directory, mail', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const inbox = await mailboxOf(it, account);
  assert.equal(it.store.directory.account('bob@demo.test'), undefined);
  const other = await openTestStore(t, { directory: it.directory, thread: true });
  it.store.lookAround();
  const heard: string[] = [];
  it.store.watchMailbox(inbox.id, () => heard.push('inbox'));
  it.store.watchQueue(() => heard.push('queue'));
  it.store.lookAround();
  assert.deepEqual(heard, []);
  await fill(it, inbox.id, 1);
  await turn();
  assert.deepEqual(heard.splice(0), ['inbox']);
  it.store.lookAround();
  assert.deepEqual(heard, [], 'our own commit is not foreign');
  await fill(other, inbox.id, 1);
  it.store.lookAround();
  assert.deepEqual(heard.splice(0), ['inbox', 'queue']);
  assert.equal((await mailboxOf(it, account)).messages, 2);
  // The directory is looked at when it is asked, at most every 100 ms.
  await other.do('addAccount', {
    address: 'bob@demo.test',
    credentials: CREDENTIALS,
    nowMs: START_MS,
  });
  it.clock.nowMs += 100;
  assert.equal(it.store.directory.account('bob@demo.test')?.enabled, true);
  // Both write at once: UIDs of all, none twice.
  await Promise.all([fill(it, inbox.id, 20), fill(other, inbox.id, 20), fill(it, inbox.id, 1)]);
  const { uids } = (await it.store.mail.uids(inbox.id))!;
  assert.deepEqual(
    uids,
    Array.from({ length: 43 }, (_, at) => at + 1),
  );
});

test('a foreign commit that shares a tick with one of ours is noticed too', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const inbox = await mailboxOf(it, account);
  const other = await openTestStore(t, { directory: it.directory });
  await fill(other, inbox.id, 1);
  const heard: string[] = [];
  it.store.watchQueue(() => heard.push('queue'));
  await it.do('subscribe', { account, name: 'x', on: true });
  assert.deepEqual(heard, ['queue']);
});

test('what was written before our first write is noticed with it', async (t) => {
  const first = await openTestStore(t);
  const account = await addAccount(first);
  const it = await openTestStore(t, { directory: first.directory });
  await fill(first, (await mailboxOf(first, account)).id, 1);
  const heard: string[] = [];
  it.store.watchQueue(() => heard.push('queue'));
  it.store.lookAround();
  assert.deepEqual(heard, ['queue']);
});

test('the log does not grow without end', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  const messages = Array.from({ length: 30 }, () =>
    messageOf({ content: contentOf('x'.repeat(30_000)) }),
  );
  for (let round = 0; round < 20; round += 1) {
    await it.do('append', { mailbox: id, messages });
    // Reads in between must not hold it back.
    await it.store.mail.uids(id);
  }
  assert.ok(statSync(`${it.directory}/postern.db`).size > 12_000_000);
  assert.ok(statSync(`${it.directory}/postern.db-wal`).size < 8_000_000);
});

test('a database that another process keeps locked is a temporary failure', async (t) => {
  const it = await openTestStore(t, { limits: { busyMs: 5 } });
  const account = await addAccount(it);
  const locker = Connection.writer(`${it.directory}/postern.db`, 0);
  locker.exec('BEGIN IMMEDIATE');
  await assert.rejects(deliver(it, 'a'), { kind: 'temporary', code: 'store-busy' });
  assert.equal((await mailboxOf(it, account)).messages, 0, 'reading goes on');
  locker.exec('ROLLBACK');
  locker.close();
  await deliver(it, 'b');
  assert.equal((await mailboxOf(it, account)).messages, 1);
});

test('a full disk fails the whole batch, keeps what was there, and recovers alone', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  await it.store.close();
  const place = {
    directory: it.directory,
    database: `${it.directory}/postern.db`,
    spool: `${it.directory}/spool`,
  };
  let isFull = true;
  const core = new WriterCore({ place, limits: storeLimits(undefined) }, (connection) => {
    if (isFull) connection.exec('PRAGMA max_page_count = 70');
  });
  t.after(() => core.close());
  const append = (ticket: number, bytes: number) => {
    const input = { mailbox: id, messages: [messageOf({ content: contentOf('x'.repeat(bytes)) })] };
    return { ticket, operation: 'append', input } as const;
  };
  const small = core.run([append(1, 10)], START_MS);
  assert.ok(small.sequence !== undefined && small.answers[0]?.failure === undefined);
  const full = core.run([append(2, 10), append(3, 300_000), append(4, 10)], START_MS);
  assert.equal(full.sequence, undefined);
  assert.deepEqual(full.mailboxes, []);
  for (const { failure } of full.answers) {
    assert.deepEqual([failure?.kind, failure?.code], ['temporary', 'disk-full']);
  }
  isFull = false;
  const later = core.run([append(5, 300_000)], START_MS);
  assert.equal(later.answers[0]?.failure, undefined);
  core.close();
  const again = await it.reopen();
  const { uids, mailbox } = (await again.store.mail.uids(id as MailboxId))!;
  assert.deepEqual([uids, mailbox.messages], [[1, 2], 2]);
  assert.deepEqual(again.row('PRAGMA integrity_check'), ['ok']);
});

test('an operation that does not exist is refused', async (t) => {
  const it = await openTestStore(t);
  for (const name of ['nothing', '__proto__', 'constructor']) {
    await assert.rejects(it.do(name as 'ledger', { entries: [] }), { code: 'no-such-operation' });
  }
});

test('a nearly full disk has no room', async (t) => {
  const roomy = await openTestStore(t, { limits: { minimumFreeBytes: 0 } });
  assert.equal(roomy.store.hasRoom(1000), true);
  assert.equal(roomy.store.hasRoom(Number.MAX_SAFE_INTEGER), false);
  const full = await openTestStore(t, { limits: { minimumFreeBytes: Number.MAX_SAFE_INTEGER } });
  assert.equal(full.store.hasRoom(0), false);
});

test('an operation whose input is nonsense fails alone', async (t) => {
  const it = await openTestStore(t, { thread: true });
  const account = await addAccount(it);
  const [nonsense, good] = await Promise.allSettled([
    it.do('ledger', { entries: 7 as never }),
    deliver(it, 'a'),
  ]);
  assert.deepEqual([nonsense.status, good.status], ['rejected', 'fulfilled']);
  await assert.rejects(it.do('ledger', { entries: [() => 7] as never }), { kind: 'temporary' });
  await deliver(it, 'b');
  assert.equal((await mailboxOf(it, account)).messages, 2);
});
