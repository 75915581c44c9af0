/** createMailbox, deleteMailbox, renameMailbox, subscribe: names, children, UIDVALIDITY. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, MailboxId } from '#base/brand.ts';
import {
  CREDENTIALS,
  START_MS,
  acceptanceOf,
  addAccount,
  deliveryOf,
  fill,
  mailboxOf,
  messageOf,
  openTestStore,
} from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';

const NOWHERE = 999 as MailboxId;

async function namesOf(it: TestStore, account: AccountId): Promise<readonly string[]> {
  return (await it.store.mail.mailboxes(account)).map(({ name }) => name);
}

async function create(it: TestStore, account: AccountId, name: string): Promise<string> {
  const nowMs = it.clock.nowMs;
  return (await it.do('createMailbox', { account, name, specialUse: undefined, nowMs })).kind;
}

async function rename(
  it: TestStore,
  account: AccountId,
  name: string,
  to: string,
): Promise<string> {
  const { id } = await mailboxOf(it, account, name);
  return (await it.do('renameMailbox', { mailbox: id, to, nowMs: it.clock.nowMs })).kind;
}

async function remove(it: TestStore, account: AccountId, name: string): Promise<string> {
  const { id } = await mailboxOf(it, account, name);
  return (await it.do('deleteMailbox', { mailbox: id, nowMs: it.clock.nowMs })).kind;
}

test('a new account has INBOX and the special-use mailboxes, all subscribed', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const boxes = await it.store.mail.mailboxes(account);
  assert.deepEqual(
    boxes.map(({ name, specialUse }) => [name, specialUse]),
    [
      ['Archive', '\\Archive'],
      ['Drafts', '\\Drafts'],
      ['INBOX', undefined],
      ['Junk', '\\Junk'],
      ['Sent', '\\Sent'],
      ['Trash', '\\Trash'],
    ],
  );
  const names = boxes.map(({ name }) => name);
  assert.deepEqual(await it.store.mail.subscriptions(account), names);
  assert.equal(new Set(boxes.map(({ objectId }) => objectId)).size, 6);
});

test('createMailbox makes missing parents, and knows INBOX in any case', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  assert.equal(await create(it, account, 'a/b/c'), 'created');
  const names = await namesOf(it, account);
  assert.ok(['a', 'a/b', 'a/b/c'].every((name) => names.includes(name)));
  assert.equal(await create(it, account, 'a/b'), 'exists');
  assert.equal(await create(it, account, 'iNbOx'), 'exists');
  assert.equal(await create(it, account, 'inbox/Lists'), 'created');
  assert.ok((await namesOf(it, account)).includes('INBOX/Lists'));
  assert.equal((await mailboxOf(it, account, 'Inbox/Lists')).name, 'INBOX/Lists');
  assert.equal(await it.store.mail.mailbox(account, 'A/b'), undefined);
});

test('names that paths or JavaScript would make special are names like others', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const odd = [
    '..',
    '.',
    '~root',
    '__proto__',
    '%',
    '*',
    '"',
    '\\',
    "'; DROP TABLE x",
    '&AAA-',
    'é',
  ];
  for (const name of odd) assert.equal(await create(it, account, name), 'created', name);
  const names = await namesOf(it, account);
  assert.ok(odd.every((name) => names.includes(name)));
  for (const name of ['', '/', 'a//b', '/abs', 'a/', 'a\0b', 'a\ud800']) {
    await assert.rejects(create(it, account, name), { code: 'bad-name' }, name);
  }
});

test('too many mailboxes are refused, parents counted, and nothing of it stays', async (t) => {
  const it = await openTestStore(t, { limits: { mailboxesPerAccount: 8 } });
  const account = await addAccount(it);
  assert.equal(await create(it, account, 'a/b/c'), 'too-many-mailboxes');
  assert.equal((await namesOf(it, account)).length, 6);
  assert.equal(await create(it, account, 'a/b'), 'created');
  assert.equal(await create(it, account, 'c'), 'too-many-mailboxes');
  // Mail for a mailbox that cannot be made is not lost.
  const wanted = ['Junk/x', 'a//b', '', 'inbox'];
  const deliveries = wanted.map((mailbox) => deliveryOf(account, { mailbox }));
  await it.do('accept', { acceptance: acceptanceOf('q', { deliveries }) });
  assert.equal((await mailboxOf(it, account)).messages, 4);
});

test('UIDVALIDITY is never used twice, whatever is deleted and made again', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const seen = new Set<number>();
  const look = async (name: string): Promise<void> => {
    const { uidValidity } = await mailboxOf(it, account, name);
    assert.ok(!seen.has(uidValidity));
    assert.ok(uidValidity >= START_MS / 1000);
    seen.add(uidValidity);
  };
  for (let round = 0; round < 5; round += 1) {
    await create(it, account, 'a');
    await look('a');
    await remove(it, account, 'a');
    // A clock that goes back must not bring old values again.
    it.clock.nowMs -= 86_400_000;
  }
  await it.do('removeAccount', { account });
  const again = await it.do('addAccount', {
    address: 'alice@demo.test',
    credentials: CREDENTIALS,
    nowMs: START_MS,
  });
  assert.ok(again.kind === 'added' && again.account !== account);
  for (const { uidValidity } of await it.store.mail.mailboxes(again.account)) {
    assert.ok(!seen.has(uidValidity));
  }
});

test('deleteMailbox refuses INBOX and parents, and frees what only it held', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await create(it, account, 'a/b');
  const { id } = await mailboxOf(it, account, 'a/b');
  const inbox = await mailboxOf(it, account);
  await fill(it, id, 2);
  const nowMs = START_MS;
  await it.do('copy', { from: id, to: inbox.id, uids: [[1, 1]], move: false, nowMs });
  await it.do('copy', { from: id, to: id, uids: [[2, 2]], move: false, nowMs });
  assert.equal(await remove(it, account, 'INBOX'), 'is-inbox');
  assert.equal(await remove(it, account, 'a'), 'has-children');
  assert.equal((await it.do('deleteMailbox', { mailbox: NOWHERE, nowMs })).kind, 'no-such-mailbox');
  assert.equal(await remove(it, account, 'a/b'), 'done');
  assert.equal(await remove(it, account, 'a'), 'done');
  assert.equal(await it.store.mail.mailboxById(id), undefined);
  assert.equal(await it.store.mail.uids(id), undefined);
  assert.deepEqual(it.row('SELECT group_concat(refs) FROM content_references'), ['1,0']);
  assert.deepEqual(it.row('SELECT freed_ms FROM content_references WHERE refs = 0'), [START_MS]);
});

test('a deleted mailbox keeps its name in the subscriptions (RFC 3501 6.3.9)', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await it.do('subscribe', { account, name: 'inbox/x', on: true });
  await it.do('subscribe', { account, name: 'inbox/x', on: true });
  await it.do('subscribe', { account, name: 'Sent', on: false });
  await remove(it, account, 'Trash');
  assert.deepEqual(await it.store.mail.subscriptions(account), [
    'Archive',
    'Drafts',
    'INBOX',
    'INBOX/x',
    'Junk',
    'Trash',
  ]);
});

test('renameMailbox takes the children along and keeps ids and UIDVALIDITY', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  for (const name of ['😀a/b/c', '😀ab', '😀a-b']) await create(it, account, name);
  const before = await mailboxOf(it, account, '😀a/b/c');
  await fill(it, before.id, 1);
  assert.equal(await rename(it, account, '😀a', 'new/place'), 'done');
  const names = await namesOf(it, account);
  const expected = ['new', 'new/place', 'new/place/b', 'new/place/b/c', '😀a-b', '😀ab'];
  assert.deepEqual(
    names.filter((name) => !/^[A-Z]/.test(name)),
    expected,
  );
  const after = await mailboxOf(it, account, 'new/place/b/c');
  assert.deepEqual(
    [after.id, after.uidValidity, after.objectId, after.messages],
    [before.id, before.uidValidity, before.objectId, 1],
  );
});

test('renameMailbox refuses names that exist, for itself or for a child', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  for (const name of ['a/b', 'c']) await create(it, account, name);
  assert.equal(await rename(it, account, 'a', 'c'), 'exists');
  assert.equal(await rename(it, account, 'a', 'a'), 'exists');
  assert.equal(await rename(it, account, 'a', 'inbox'), 'exists');
  assert.equal(await rename(it, account, 'a', 'a/b/d'), 'into-itself');
  assert.equal(await rename(it, account, 'a', 'a/x'), 'into-itself');
  assert.equal(await rename(it, account, 'a', 'aa'), 'done');
  const gone = await it.do('renameMailbox', { mailbox: NOWHERE, to: 'z', nowMs: START_MS });
  assert.equal(gone.kind, 'no-such-mailbox');
});

test('renaming INBOX moves its messages and leaves it empty, children stay', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await create(it, account, 'INBOX/child');
  const inbox = await mailboxOf(it, account);
  await it.do('append', { mailbox: inbox.id, messages: [messageOf({ flags: ['kept'] })] });
  await fill(it, inbox.id, 2);
  assert.equal(await rename(it, account, 'inbox', 'old/mail'), 'done');
  const after = await mailboxOf(it, account);
  assert.deepEqual([after.id, after.uidValidity], [inbox.id, inbox.uidValidity]);
  assert.deepEqual([after.messages, after.uidNext, after.sizeBytes], [0, 4, 0]);
  const old = await mailboxOf(it, account, 'old/mail');
  assert.deepEqual([old.messages, old.uidNext, old.unseen], [3, 4, 3]);
  const [first] = await it.store.mail.messages(old.id, [[1, 1]], { limit: 1 });
  assert.deepEqual(first?.flags, ['kept']);
  assert.equal((await mailboxOf(it, account, 'INBOX/child')).messages, 0);
  assert.deepEqual(it.row('SELECT sum(refs) FROM content_references'), [3]);
});

test('mail for a mailbox that is missing makes it, subscribed', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const deliveries = [deliveryOf(account, { mailbox: 'Lists/x', flags: ['\\Flagged'] })];
  const { deliveries: done } = await it.do('accept', {
    acceptance: acceptanceOf('q1', { deliveries }),
  });
  const box = await mailboxOf(it, account, 'Lists/x');
  assert.deepEqual(done, [{ mailbox: box.id, uid: 1 }]);
  assert.ok((await it.store.mail.subscriptions(account)).includes('Lists/x'));
});
