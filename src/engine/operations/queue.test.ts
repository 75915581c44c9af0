/** accept with a relay, settle, queueCommand: what is in the queue, and when it is due. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueId } from '#base/brand.ts';
import { latin1 } from '#base/bytes.ts';
import type { Settlement } from '#store/operations.ts';
import {
  START_MS,
  acceptanceOf,
  addAccount,
  contentOf,
  deliveryOf,
  entryOf,
  mailboxOf,
  openTestStore,
  recipientOf,
  relayOf,
} from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';

const Q1 = 'q1' as QueueId;
const GONE = 'gone' as QueueId;

async function queued(it: TestStore, ...recipients: string[]): Promise<void> {
  const relay = relayOf(recipients.map((address) => recipientOf(address)));
  await it.do('accept', { acceptance: acceptanceOf('q1', { relay }) });
}

const settle = (it: TestStore, settlements: Settlement[], notices: string[] = []) =>
  it.do('settle', {
    id: Q1,
    settlements,
    notices: notices.map((id) =>
      acceptanceOf(id, { relay: relayOf([recipientOf('alice@x.example')]) }),
    ),
    ledger: [entryOf({ kind: 'attempt', queueId: 'q1' })],
  });

async function numbers(it: TestStore): Promise<number[] | undefined> {
  return (await it.store.queue.message(Q1))?.recipients.map(({ number }) => number);
}

test('a queued message is read back as it was accepted', async (t) => {
  const it = await openTestStore(t);
  const content = contentOf('to elsewhere\r\n');
  const relay = relayOf(
    [
      recipientOf('"A b"@X.example', {
        notify: ['success', 'failure'],
        originalRecipient: 'rfc822;a@b',
      }),
      recipientOf('c@y.example', { notify: [], nextMs: START_MS + 5 }),
    ],
    {
      content,
      submitter: undefined,
      envelope: {
        reversePath: '',
        ret: 'headers',
        envelopeId: "x'); DROP TABLE messages; --",
        smtpUtf8: true,
        body: 'binarymime',
        tls: 'required',
      },
    },
  );
  await it.do('accept', { acceptance: acceptanceOf('q1', { relay }) });
  const message = await it.store.queue.message(Q1);
  assert.deepEqual(message?.envelope, relay.envelope);
  assert.equal(message?.submitter, undefined);
  assert.equal(message?.acceptedMs, START_MS);
  assert.deepEqual(
    message?.recipients,
    relay.recipients.map((recipient, index) => ({
      ...recipient,
      number: index + 1,
      state: 'waiting',
      attempts: 0,
      delayNotified: false,
      lastAnswer: undefined,
    })),
  );
  const octets = await it.store.mail.octets(message!.content, 0, message!.sizeBytes);
  assert.equal(latin1(octets), 'Subject: hello\r\n\r\nto elsewhere\r\n');
  assert.deepEqual(await it.store.queue.list(10), [message]);
  assert.deepEqual(await it.store.queue.size(), { messages: 1, recipients: 2 });
});

test('due rows come earliest first, held ones never', async (t) => {
  const it = await openTestStore(t);
  assert.equal(await it.store.queue.nextDueMs(), undefined);
  const later = [3, 1, 2, 9].map((ms) =>
    recipientOf(`r${ms}@x.example`, { nextMs: START_MS + ms }),
  );
  await it.do('accept', { acceptance: acceptanceOf('q1', { relay: relayOf(later) }) });
  assert.equal(await it.store.queue.nextDueMs(), START_MS + 1);
  const due = await it.store.queue.due(START_MS + 3, 10);
  assert.deepEqual(
    due.map(({ id, number, domain, nextMs }) => [id, number, domain, nextMs - START_MS]),
    [
      ['q1', 2, 'x.example', 1],
      ['q1', 3, 'x.example', 2],
      ['q1', 1, 'x.example', 3],
    ],
  );
  assert.equal((await it.store.queue.due(START_MS + 3, 2)).length, 2);
  await it.do('queueCommand', { id: Q1, action: 'hold', nowMs: START_MS, ledger: [] });
  assert.deepEqual(await it.store.queue.due(START_MS + 99, 10), []);
  assert.equal(await it.store.queue.nextDueMs(), undefined);
});

test('settle postpones and ends rows; with the last one the message goes', async (t) => {
  const it = await openTestStore(t);
  await queued(it, 'a@x.example', 'b@x.example');
  const nextMs = START_MS + 60_000;
  await settle(it, [
    { number: 1, kind: 'done' },
    { number: 2, kind: 'deferred', nextMs, lastAnswer: '450 later', delayNotified: true },
  ]);
  const [row] = (await it.store.queue.message(Q1))!.recipients;
  assert.deepEqual(
    [row!.number, row!.attempts, row!.nextMs, row!.lastAnswer, row!.delayNotified],
    [2, 1, nextMs, '450 later', true],
  );
  assert.deepEqual(it.row('SELECT refs FROM content_references'), [1]);
  await settle(it, [{ number: 2, kind: 'done' }]);
  assert.equal(await it.store.queue.message(Q1), undefined);
  assert.deepEqual(it.row('SELECT refs, freed_ms FROM content_references'), [0, START_MS]);
  assert.equal((await it.store.ledger.trace('q1', 10)).length, 2);
});

test('notices come in with the settlement, and not for rows that were dropped', async (t) => {
  const it = await openTestStore(t);
  await queued(it, 'a@x.example');
  await settle(it, [{ number: 1, kind: 'done' }], ['n1']);
  assert.ok(await it.store.queue.message('n1' as QueueId));
  await settle(it, [{ number: 1, kind: 'done' }], ['n2']);
  assert.equal(await it.store.queue.message('n2' as QueueId), undefined);
  await settle(it, [], ['n3']);
  assert.ok(await it.store.queue.message('n3' as QueueId));
});

test('a notice that cannot be written undoes the whole settlement', async (t) => {
  const it = await openTestStore(t);
  await queued(it, 'a@x.example', 'b@x.example');
  const failing = settle(it, [{ number: 1, kind: 'done' }], ['q1']);
  await assert.rejects(failing, { kind: 'temporary' });
  assert.deepEqual(await numbers(it), [1, 2]);
  assert.equal((await it.store.ledger.trace('q1', 10)).length, 0);
});

test('the same queue id twice is one message', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await queued(it, 'a@x.example');
  const relay = relayOf([recipientOf('b@x.example')]);
  const acceptance = acceptanceOf('q1', { relay, deliveries: [deliveryOf(account)] });
  await assert.rejects(it.do('accept', { acceptance }), /UNIQUE constraint/);
  assert.deepEqual(await it.store.queue.size(), { messages: 1, recipients: 1 });
  assert.equal((await mailboxOf(it, account)).messages, 0);
});

test('by hand: retry, hold, release, drop', async (t) => {
  const it = await openTestStore(t);
  const nowMs = START_MS + 5;
  const nextMs = START_MS + 60_000;
  const command = async (action: 'retry' | 'hold' | 'release' | 'drop', id = Q1) => {
    const ledger = [entryOf({ kind: 'admin', queueId: id })];
    return (await it.do('queueCommand', { id, action, nowMs, ledger })).kind;
  };
  await queued(it, 'a@x.example', 'b@x.example');
  const defer = { number: 1, kind: 'deferred', nextMs, lastAnswer: 'x', delayNotified: false };
  await settle(it, [defer as Settlement]);
  const rows = async () =>
    (await it.store.queue.message(Q1))!.recipients.map(({ state, nextMs: ms }) => [
      state,
      ms - START_MS,
    ]);
  assert.equal(await command('hold'), 'done');
  assert.deepEqual(await rows(), [
    ['held', 60_000],
    ['held', 0],
  ]);
  await command('retry');
  assert.deepEqual((await rows())[0], ['held', 60_000]);
  await command('release');
  assert.deepEqual(await rows(), [
    ['waiting', 5],
    ['waiting', 5],
  ]);
  await settle(it, [defer as Settlement]);
  await command('retry');
  assert.deepEqual((await rows())[0], ['waiting', 5]);
  assert.equal(await command('drop'), 'done');
  assert.deepEqual(await it.store.queue.size(), { messages: 0, recipients: 0 });
  for (const action of ['retry', 'hold', 'release', 'drop'] as const) {
    assert.equal(await command(action, GONE), 'no-such-message');
  }
  assert.deepEqual(it.row('SELECT refs FROM content_references'), [0]);
});

test('held from the start: not due, with its reason, and all its time left at the release', async (t) => {
  const it = await openTestStore(t);
  const held = recipientOf('a@x.example', {
    nextMs: START_MS,
    expiresMs: START_MS + 1_000,
    held: 'held: too many',
  });
  await it.do('accept', { acceptance: acceptanceOf('q1', { relay: relayOf([held]) }) });
  const row = async () => (await it.store.queue.message(Q1))!.recipients[0]!;
  assert.deepEqual(await it.store.queue.due(START_MS + 999_999, 10), []);
  assert.equal(await it.store.queue.nextDueMs(), undefined);
  const first = await row();
  assert.deepEqual([first.state, first.lastAnswer], ['held', 'held: too many']);
  const nowMs = START_MS + 90_000;
  await it.do('queueCommand', { id: Q1, action: 'release', nowMs, ledger: [] });
  const then = await row();
  assert.deepEqual([then.state, then.nextMs], ['waiting', nowMs]);
  assert.equal(then.expiresMs, nowMs + 1_000);
});

test('one content for all who share it: counted, not copied', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const bob = await addAccount(it, 'bob@demo.test');
  const content = contentOf('shared\r\n');
  const one = deliveryOf(account, { content });
  const deliveries = [one, { ...one, account: bob }, deliveryOf(bob, { content: contentOf() })];
  await it.do('accept', { acceptance: acceptanceOf('q1', { deliveries }) });
  assert.deepEqual(it.row('SELECT group_concat(refs) FROM content_references'), ['2,1']);
  const { id } = await mailboxOf(it, account);
  await it.do('expunge', { mailbox: id, uids: undefined, onlyDeleted: false, nowMs: START_MS });
  assert.deepEqual(it.row('SELECT group_concat(refs) FROM content_references'), ['1,1']);
});

test('due rows are paged without a gap and without a row twice', async (t) => {
  const it = await openTestStore(t);
  for (const id of ['q2', 'q1', 'q3']) {
    const relay = relayOf(
      ['a', 'b', 'c'].map((name) => recipientOf(`${name}@x.example`, { nextMs: START_MS })),
    );
    await it.do('accept', { acceptance: acceptanceOf(id, { relay }) });
  }
  const found: string[] = [];
  let page = await it.store.queue.due(START_MS, 2);
  while (page.length > 0) {
    found.push(...page.map(({ id, number }) => `${id}/${number}`));
    page = await it.store.queue.due(START_MS, 2, page.at(-1));
  }
  assert.deepEqual(
    found,
    ['q1', 'q2', 'q3'].flatMap((id) => [`${id}/1`, `${id}/2`, `${id}/3`]),
  );
});
