/** append, storeFlags, copy, expunge: messages of mailboxes, their UIDs, flags and counters. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MailboxId, ModSeq, Uid } from '#base/brand.ts';
import { latin1 } from '#base/bytes.ts';
import type { Message } from '#store/mail.ts';
import {
  START_MS,
  acceptanceOf,
  addAccount,
  contentOf,
  deliveryOf,
  factsOf,
  fill,
  mailboxOf,
  messageOf,
  openTestStore,
} from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';

const NOWHERE = 999 as MailboxId;

async function all(test: TestStore, id: MailboxId): Promise<readonly Message[]> {
  return test.store.mail.messages(id, [[1, 0xffff_ffff]], { limit: 1000 });
}

async function uidsOf(test: TestStore, id: MailboxId): Promise<readonly number[]> {
  return (await test.store.mail.uids(id))?.uids ?? [];
}

test('an empty mailbox has UIDNEXT 1', async (t) => {
  const it = await openTestStore(t);
  const inbox = await mailboxOf(it, await addAccount(it));
  assert.deepEqual(
    [inbox.uidNext, inbox.messages, inbox.unseen, inbox.deleted, inbox.sizeBytes],
    [1, 0, 0, 0, 0],
  );
  assert.ok(inbox.uidValidity > 0 && inbox.uidValidity <= 0xffff_ffff);
  assert.deepEqual(await uidsOf(it, inbox.id), []);
});

test('append stores what was brought, in order, and counts it', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id, highestModSeq } = await mailboxOf(it, account);
  it.clock.nowMs += 5000;
  const appended = await it.do('append', {
    mailbox: id,
    messages: [
      messageOf({ flags: ['\\seen', '\\Recent', '$Forwarded'], internalDateMs: 7 }),
      messageOf({ flags: ['\\Deleted', '\\Nonsense'], content: contentOf('longer text\r\n') }),
    ],
  });
  assert.ok(appended.kind === 'appended');
  assert.deepEqual(appended.uids, [1, 2]);
  assert.ok(appended.highestModSeq > highestModSeq);
  const [first, second] = await all(it, id);
  assert.deepEqual(first?.flags, ['\\Seen', '$Forwarded']);
  assert.deepEqual([first?.internalDateMs, first?.savedMs], [7, START_MS + 5000]);
  assert.deepEqual(second?.flags, ['\\Deleted']);
  assert.equal(second?.headBytes, 'Subject: hello\r\n\r\n'.length);
  assert.equal(second?.sizeBytes, 'Subject: hello\r\n\r\nlonger text\r\n'.length);
  const inbox = await mailboxOf(it, account);
  assert.deepEqual([inbox.uidNext, inbox.messages, inbox.unseen, inbox.deleted], [3, 2, 1, 1]);
  assert.equal(inbox.sizeBytes, first!.sizeBytes + second!.sizeBytes);
  assert.equal(inbox.highestModSeq, appended.highestModSeq);
});

test('details bring the facts of delivery, and only those asked for', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await it.do('append', { mailbox: id, messages: [messageOf()] });
  const [one] = await it.store.mail.messages(id, [[1, 1]], {
    limit: 1,
    details: ['envelope', 'bodyStructure', 'parts', 'search'],
  });
  const facts = factsOf();
  assert.equal(one!.envelope, latin1(facts.envelope));
  assert.equal(one!.bodyStructure, latin1(facts.bodyStructure));
  assert.equal(one!.parts, facts.parts);
  assert.deepEqual(one!.search, {
    sentMs: facts.sentMs,
    subject: 'hello',
    from: 'bob@x.example',
    to: 'alice@demo.test',
    cc: '',
    bcc: '',
  });
  const [bare] = await all(it, id);
  assert.ok(!('envelope' in bare!) && !('search' in bare!));
});

test('refusals: no mailbox of that number', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  const nowMs = START_MS;
  const refused = { kind: 'no-such-mailbox' };
  const uids = [[1, 1]] as const;
  assert.deepEqual(await it.do('append', { mailbox: NOWHERE, messages: [messageOf()] }), refused);
  assert.deepEqual(
    await it.do('storeFlags', { mailbox: NOWHERE, uids, mode: 'add', flags: [] }),
    refused,
  );
  for (const [from, to] of [
    [NOWHERE, id],
    [id, NOWHERE],
  ] as const) {
    assert.deepEqual(await it.do('copy', { from, to, uids, move: false, nowMs }), refused);
  }
  assert.deepEqual(
    await it.do('expunge', { mailbox: NOWHERE, uids: undefined, onlyDeleted: true, nowMs }),
    refused,
  );
  assert.deepEqual(it.row('SELECT count(*) FROM contents'), [0]);
});

test('storeFlags adds, removes and replaces; one modification sequence for one step', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  await fill(it, id, 3);
  const store = async (
    mode: 'add' | 'remove' | 'replace',
    flags: string[],
    uids: [number, number][] = [[1, 2]],
  ) => {
    const stored = await it.do('storeFlags', { mailbox: id, uids, mode, flags });
    assert.ok(stored.kind === 'stored');
    return stored.changed;
  };
  const added = await store('add', ['\\Seen', 'Work']);
  assert.deepEqual(
    added.map(({ uid, flags }) => [uid, ...flags]),
    [
      [1, '\\Seen', 'Work'],
      [2, '\\Seen', 'Work'],
    ],
  );
  assert.equal(added[0]?.modSeq, added[1]?.modSeq);
  const again = await store('add', ['\\SEEN', 'work'], [[1, 3]]);
  assert.deepEqual(
    again.map(({ modSeq }) => modSeq === added[0]?.modSeq),
    [true, true, false],
  );
  assert.deepEqual(again[2]?.flags, ['\\Seen', 'Work']);
  await store('remove', ['WORK', 'unknown'], [[2, 2]]);
  await store('replace', ['\\Deleted', 'b'], [[3, 3]]);
  assert.deepEqual(
    (await all(it, id)).map(({ flags }) => flags),
    [['\\Seen', 'Work'], ['\\Seen'], ['\\Deleted', 'b']],
  );
  const inbox = await mailboxOf(it, account);
  assert.deepEqual([inbox.messages, inbox.unseen, inbox.deleted], [3, 1, 1]);
  assert.deepEqual(it.row(`SELECT count(*) FROM keywords WHERE name = 'unknown'`), [0]);
});

test('storeFlags leaves alone what changed since', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 2);
  const before = (await all(it, id))[0]!.modSeq;
  await it.do('storeFlags', { mailbox: id, uids: [[2, 2]], mode: 'add', flags: ['\\Seen'] });
  const stored = await it.do('storeFlags', {
    mailbox: id,
    uids: [[1, 9]],
    mode: 'add',
    flags: ['\\Flagged'],
    unchangedSince: before,
  });
  assert.ok(stored.kind === 'stored');
  assert.deepEqual(stored.modified, [2]);
  assert.deepEqual(
    stored.changed.map(({ uid }) => uid),
    [1],
  );
  assert.deepEqual((await all(it, id))[1]!.flags, ['\\Seen']);
});

test('names that are special in JavaScript are keywords like others', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  const flags = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then'];
  await it.do('append', { mailbox: id, messages: [messageOf({ flags })] });
  assert.deepEqual((await all(it, id))[0]!.flags, flags);
});

test('too many kinds of keywords are refused, and unused kinds make room', async (t) => {
  const it = await openTestStore(t, { limits: { keywordKinds: 3 } });
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 1);
  const store = (flags: string[], mode: 'add' | 'replace' = 'replace') =>
    it.do('storeFlags', { mailbox: id, uids: [[1, 1]], mode, flags });
  await store(['a', 'b', 'c']);
  assert.deepEqual(await store(['d'], 'add'), { kind: 'too-many-keywords' });
  assert.deepEqual(await store(['a', 'b', 'c', 'd']), { kind: 'too-many-keywords' });
  assert.deepEqual((await all(it, id))[0]!.flags, ['a', 'b', 'c']);
  await store(['a']);
  assert.equal((await store(['x', 'a'])).kind, 'stored');
  assert.deepEqual(new Set((await all(it, id))[0]!.flags), new Set(['x', 'a']));
  // Mail is not refused for a keyword: what does not fit is left away.
  await it.do('append', { mailbox: id, messages: [messageOf({ flags: ['1', '2', '3', 'X'] })] });
  assert.deepEqual((await all(it, id))[1]!.flags, ['x']);
});

test('copy keeps date, flags, keywords and EMAILID, and gives a new UID', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const inbox = await mailboxOf(it, account);
  const trash = await mailboxOf(it, account, 'Trash');
  await it.do('append', { mailbox: trash.id, messages: [messageOf({ flags: ['other'] })] });
  await it.do('append', {
    mailbox: inbox.id,
    messages: [messageOf({ flags: ['\\Seen', 'mine', 'Other'], internalDateMs: 5 }), messageOf()],
  });
  const copied = await it.do('copy', {
    from: inbox.id,
    to: trash.id,
    uids: [[1, 2]],
    move: false,
    nowMs: START_MS + 9,
  });
  assert.ok(copied.kind === 'copied');
  assert.deepEqual(copied.pairs, [
    [1, 2],
    [2, 3],
  ]);
  assert.equal(copied.uidValidity, trash.uidValidity);
  const [original] = await all(it, inbox.id);
  const copy = (await all(it, trash.id))[1]!;
  assert.deepEqual(new Set(copy.flags), new Set(['\\Seen', 'mine', 'other']));
  assert.deepEqual([copy.internalDateMs, copy.savedMs], [5, START_MS + 9]);
  assert.deepEqual(
    [copy.emailId, copy.threadId, copy.content],
    [original!.emailId, original!.threadId, original!.content],
  );
  assert.equal((await mailboxOf(it, account)).messages, 2);
  assert.deepEqual(it.row('SELECT sum(refs) FROM content_references'), [5]);
});

test('move expunges the originals in the same step; a repeated one is no error', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const inbox = await mailboxOf(it, account);
  const trash = await mailboxOf(it, account, 'Trash');
  await fill(it, inbox.id, 3);
  const before = (await mailboxOf(it, account)).highestModSeq;
  const move = (from: MailboxId, to: MailboxId) =>
    it.do('copy', { from, to, uids: [[2, 3]], move: true, nowMs: START_MS });
  await move(inbox.id, trash.id);
  assert.deepEqual(await uidsOf(it, inbox.id), [1]);
  assert.deepEqual(await uidsOf(it, trash.id), [1, 2]);
  const changes = await it.store.mail.changes(inbox.id, before);
  assert.deepEqual([changes.vanished, changes.changed], [[2, 3], []]);
  const repeated = await move(inbox.id, trash.id);
  assert.ok(repeated.kind === 'copied');
  assert.deepEqual(repeated.pairs, []);
  assert.deepEqual(it.row('SELECT sum(refs) FROM content_references'), [3]);
  // Into itself: new UIDs, nothing lost (RFC 6851 3.3).
  await move(trash.id, trash.id);
  assert.deepEqual(await uidsOf(it, trash.id), [1, 3]);
});

test('expunge takes away what is deleted, or what is named and deleted', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  await fill(it, id, 5);
  await it.do('storeFlags', { mailbox: id, uids: [[2, 4]], mode: 'add', flags: ['\\Deleted'] });
  const expunge = async (uids: [number, number][] | undefined, onlyDeleted: boolean) => {
    const nowMs = START_MS;
    const result = await it.do('expunge', { mailbox: id, uids, onlyDeleted, nowMs });
    assert.ok(result.kind === 'expunged');
    return result;
  };
  assert.deepEqual((await expunge([[1, 2]], true)).uids, [2]);
  assert.deepEqual((await expunge([[1, 1]], false)).uids, [1]);
  const last = await expunge(undefined, true);
  assert.deepEqual(last.uids, [3, 4]);
  assert.equal((await expunge(undefined, true)).highestModSeq, last.highestModSeq);
  const inbox = await mailboxOf(it, account);
  assert.deepEqual([inbox.messages, inbox.deleted, inbox.unseen, inbox.uidNext], [1, 0, 1, 6]);
  assert.deepEqual(await uidsOf(it, id), [5]);
});

test('an expunged message can be read for an hour by those not told of it', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 3);
  await it.do('expunge', { mailbox: id, uids: [[2, 2]], onlyDeleted: false, nowMs: START_MS });
  const read = async () => {
    const found = await it.store.mail.messages(id, [[1, 9]], { limit: 9, expunged: true });
    return found.map(({ uid }) => uid);
  };
  assert.deepEqual(await read(), [1, 2, 3]);
  const [gone] = await it.store.mail.messages(id, [[2, 2]], { limit: 1, expunged: true });
  const octets = await it.store.mail.octets(gone!.content, 0, 1000);
  assert.equal(latin1(octets), 'Subject: hello\r\n\r\nmessage 2\r\n');
  assert.deepEqual(await it.store.mail.messages(id, [[2, 2]], { limit: 1 }), []);
  it.clock.nowMs += 3_600_001;
  assert.deepEqual(await read(), [1, 3]);
});

test('changes since a modification sequence', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  await fill(it, id, 4);
  const before = (await mailboxOf(it, account)).highestModSeq;
  await it.do('storeFlags', { mailbox: id, uids: [[3, 3]], mode: 'add', flags: ['\\Seen'] });
  await it.do('expunge', { mailbox: id, uids: [[1, 1]], onlyDeleted: false, nowMs: START_MS });
  await it.do('append', { mailbox: id, messages: [messageOf()] });
  const changes = await it.store.mail.changes(id, before);
  assert.deepEqual(
    changes.changed.map(({ uid }) => uid),
    [3, 5],
  );
  assert.deepEqual(changes.vanished, [1]);
  assert.equal(changes.highestModSeq, (await mailboxOf(it, account)).highestModSeq);
  const none = await it.store.mail.changes(id, changes.highestModSeq);
  assert.deepEqual([none.changed, none.vanished], [[], []]);
  await assert.rejects(async () => it.store.mail.changes(NOWHERE, 1 as ModSeq), {
    code: 'no-such-mailbox',
  });
});

test('messages of one account that references tie together share a thread', async (t) => {
  const it = await openTestStore(t);
  const alice = await addAccount(it);
  const bob = await addAccount(it, 'bob@demo.test');
  const deliver = async (account: typeof alice, messageId: string, references: string[] = []) => {
    const facts = factsOf({ messageId, references });
    const deliveries = [deliveryOf(account, { content: contentOf(), facts })];
    await it.do('accept', { acceptance: acceptanceOf(messageId, { deliveries }) });
    const inbox = await mailboxOf(it, account);
    return (await all(it, inbox.id)).at(-1)!.threadId;
  };
  const first = await deliver(alice, 'a@x');
  assert.equal(await deliver(alice, 'b@x', ['a@x']), first);
  assert.equal(await deliver(alice, 'c@x', ['unseen@x', 'b@x']), first);
  assert.equal(await deliver(alice, 'unseen@x'), first);
  assert.notEqual(await deliver(alice, 'd@x'), first);
  assert.notEqual(await deliver(bob, 'b@x', ['a@x']), first);
  const many = Array.from({ length: 50 }, (_, at) => `r${at}@x`);
  const long = await deliver(alice, 'long@x', many);
  assert.equal(await deliver(alice, 'late@x', ['r49@x']), long);
  assert.equal(await deliver(alice, 'root@x', ['r0@x']), long);
});

test('a mailbox that has used all UIDs takes nothing more, and other writes go on', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  await it.store.close();
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(`${it.directory}/postern.db`);
  database.exec('UPDATE mailboxes SET uid_next = 4294967294 WHERE id = 1');
  database.close();
  const again = await it.reopen();
  await fill(again, id, 1);
  assert.deepEqual(await uidsOf(again, id), [0xffff_fffe as Uid]);
  const [append, other] = await Promise.allSettled([
    again.do('append', { mailbox: id, messages: [messageOf()] }),
    again.do('subscribe', { account, name: 'x', on: true }),
  ]);
  assert.equal(append.status === 'rejected' && append.reason.code, 'uid-exhausted');
  assert.equal(other.status, 'fulfilled');
  assert.deepEqual(await uidsOf(again, id), [0xffff_fffe as Uid]);
});
