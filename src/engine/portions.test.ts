/** Large expunges: all of it, in portions, with others in between. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MailboxId } from '#base/brand.ts';
import { START_MS, addAccount, fill, mailboxOf, openTestStore } from '#test/engine/fixture.ts';

const NOWHERE = 999 as MailboxId;

test('a large expunge goes in portions, between which others write', async (t) => {
  const it = await openTestStore(t, { limits: { expungedMessages: 10 }, thread: true });
  const { id, highestModSeq } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 60);
  const nowMs = START_MS;
  const uids = [[1, 5] as const, [7, 7] as const, [9, 55] as const];
  await it.do('storeFlags', { mailbox: id, uids, mode: 'add', flags: ['\\Deleted'] });
  const { commits } = it.store.counters();
  const order: string[] = [];
  const [expunged] = await Promise.all([
    it.do('expunge', { mailbox: id, uids: [[1, 50]], onlyDeleted: true, nowMs }),
    (async () => {
      await fill(it, id, 1);
      order.push('filled');
    })(),
  ]).finally(() => order.push('expunged'));
  assert.deepEqual(order, ['filled', 'expunged']);
  assert.ok(expunged.kind === 'expunged');
  const gone = [1, 2, 3, 4, 5, 7, ...Array.from({ length: 42 }, (_, at) => at + 9)];
  assert.deepEqual(expunged.uids, gone);
  assert.ok(it.store.counters().commits - commits >= 5, 'ten at a time');
  const { vanished } = await it.store.mail.changes(id, highestModSeq);
  assert.deepEqual(vanished, gone);
  const inbox = await mailboxOf(it, it.store.directory.account('alice@demo.test')!.id);
  assert.deepEqual([inbox.messages, inbox.deleted], [13, 5]);
  assert.equal(inbox.highestModSeq, expunged.highestModSeq);
  const none = await it.do('expunge', { mailbox: id, uids: [[1, 9]], onlyDeleted: true, nowMs });
  assert.ok(none.kind === 'expunged' && none.uids.length === 0);
  const nowhere = { mailbox: NOWHERE, uids: undefined, onlyDeleted: false, nowMs };
  assert.deepEqual(await it.do('expunge', nowhere), { kind: 'no-such-mailbox' });
});
