/** What becomes of rows: sent, refused, put off, given up, held, and who is told of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '#base/failure.ts';
import { DAY, HOUR, MINUTE, after, bench, notices } from './testing.ts';
import type { Fate } from './testing-agents.ts';
import { TestStore } from './testing-store.ts';
import { TestClock } from './testing-world.ts';

test('new mail is sent at once, several recipients of a domain in one transaction', async () => {
  const { clock, store, transfer } = bench();
  store.add({ id: 'A', to: ['x@far.test', 'y@far.test', 'z@other.test'] });
  await clock.advance(0);
  assert.deepEqual(
    transfer.jobs.map(({ domain, recipients }) => [domain, recipients.map(({ number }) => number)]),
    [
      ['far.test', [1, 2]],
      ['other.test', [3]],
    ],
  );
  assert.equal(store.messages.size, 0);
  assert.deepEqual(notices(store), []);
  assert.deepEqual(
    store.entries.map(({ kind, queueId, keys }) => [kind, queueId, keys.length]),
    [
      ['attempt', 'A', 3],
      ['delivered', 'A', 3],
      ['attempt', 'A', 2],
      ['delivered', 'A', 2],
    ],
  );
});

test('mail of before the start is found: nothing in memory matters', async () => {
  const clock = new TestClock();
  const store = new TestStore(clock);
  store.add({ id: 'A', to: ['x@far.test'] });
  const { transfer } = bench({ clock, store });
  await clock.advance(0);
  assert.equal(transfer.jobs.length, 1);
});

test('a permanent refusal ends in one failure notice, in the same commit', async () => {
  const { clock, store, notify } = bench({ fate: (_job, n) => (n === 2 ? 'delivered' : 'failed') });
  store.add({ id: 'A', to: ['x@far.test', 'y@far.test', 'z@far.test'] });
  await clock.advance(10 * DAY);
  assert.deepEqual(notices(store), ['failed x@far.test,z@far.test']);
  assert.equal(store.settles.length, 1);
  assert.equal(store.settles[0]?.notices.length, 1);
  assert.equal(notify.asked[0]?.recipients[0]?.reply?.lines.length, 2);
  assert.equal(store.messages.size, 0);
});

test('the last answer is kept for people, and expiry is status 4.4.7 with that answer', async () => {
  const { clock, store, notify } = bench({ fate: () => 'deferred' });
  store.add({ id: 'A', to: ['x@far.test'], lifetimeMs: HOUR });
  await clock.advance(0);
  assert.equal(store.row('A')?.lastAnswer, 'mx.far.test [192.0.2.1]:25 450 4.2.1 try later');
  await clock.advance(2 * HOUR);
  const [facts] = notify.asked;
  assert.equal(facts?.recipients[0]?.status, '4.4.7');
  assert.equal(facts?.recipients[0]?.expired, true);
  assert.equal(facts?.recipients[0]?.reply?.code, 450);
});

const ASKED: readonly {
  readonly notify: readonly ('success' | 'failure' | 'delay')[] | undefined;
  readonly fate: Fate;
  readonly told: readonly string[];
}[] = [
  { notify: undefined, fate: 'failed', told: ['failed'] },
  { notify: undefined, fate: 'relayed', told: [] },
  { notify: undefined, fate: 'deferred', told: ['delayed', 'failed'] },
  { notify: [], fate: 'failed', told: [] },
  { notify: [], fate: 'relayed', told: [] },
  { notify: [], fate: 'deferred', told: [] },
  { notify: ['success'], fate: 'relayed', told: ['relayed'] },
  { notify: ['success'], fate: 'delivered', told: [] },
  { notify: ['success'], fate: 'failed', told: [] },
  { notify: ['failure'], fate: 'deferred', told: ['failed'] },
  { notify: ['delay'], fate: 'deferred', told: ['delayed'] },
];

for (const { notify, fate, told } of ASKED) {
  test(`NOTIFY=${notify?.join() ?? '(none)'} and ${fate}: ${told.join() || 'no notice'}`, async () => {
    const { clock, store } = bench({ fate: () => fate });
    store.add({ id: 'A', to: [{ address: 'x@far.test', notify }], lifetimeMs: DAY });
    await clock.advance(3 * DAY);
    assert.deepEqual(
      notices(store),
      told.map((kind) => `${kind} x@far.test`),
    );
    assert.equal(store.messages.size, 0);
  });
}

test('mail from <> never causes a notice; the ledger says why', async () => {
  for (const fate of ['failed', 'deferred', 'relayed'] as const) {
    const { clock, store } = bench({ fate: () => fate });
    const to = [{ address: 'x@far.test', notify: ['success', 'failure', 'delay'] as const }];
    store.add({ id: 'A', from: '', to, lifetimeMs: DAY });
    await clock.advance(3 * DAY);
    assert.deepEqual(store.notices, []);
    assert.equal(store.messages.size, 0);
    const end = store.entries.find(({ kind }) => kind === 'bounced' || kind === 'expired');
    if (fate !== 'relayed') assert.match(JSON.stringify(end?.facts), /null reverse-path/);
  }
});

test('forged senders: 300 refused messages from <> yield no notice at all', async () => {
  const { clock, store } = bench({ fate: () => 'failed' });
  for (let n = 0; n < 300; n += 1) {
    store.add({ id: `A${n}`, from: '', to: [`nobody${n}@far.test`] });
  }
  await clock.advance(DAY);
  assert.equal(store.notices.length, 0);
  assert.equal(store.messages.size, 0);
});

test('a failed write is tried again without sending again', async () => {
  const { clock, store, transfer, log } = bench({ fate: () => 'failed' });
  store.failures = 7;
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(HOUR);
  assert.equal(transfer.jobs.length, 1);
  assert.deepEqual(notices(store), ['failed x@far.test']);
  assert.equal(log.lines.filter(({ name }) => name === 'queue.settle-failed').length, 7);
  assert.equal(store.messages.size, 0);
});

test('a notice to somebody who is gone is dropped, and the row still ends', async () => {
  const { clock, store, intake } = bench({ fate: () => 'failed' });
  intake.refusals = [Failure.temporary('recipient-vanished', 'no such account')];
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(MINUTE);
  assert.equal(store.messages.size, 0);
  assert.deepEqual(store.notices, []);
  assert.equal(store.entries.at(-1)?.facts['sent'], false);
});

test('a door that refuses for a while gets the notice later', async () => {
  const { clock, store, intake, transfer } = bench({ fate: () => 'failed' });
  intake.refusals = [1, 2, 3].map(() => Failure.temporary('disk-full', 'no space'));
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(MINUTE);
  assert.deepEqual(notices(store), ['failed x@far.test']);
  assert.equal(transfer.jobs.length, 1);
});

test('held rows are not tried and do not expire; released they get a fair chance', async () => {
  let fate: Fate = 'deferred';
  const { clock, store, transfer } = bench({ fate: () => fate });
  const id = store.add({ id: 'A', to: [{ address: 'x@far.test', state: 'held' }] });
  await clock.advance(10 * DAY);
  assert.equal(transfer.jobs.length, 0);
  assert.equal(store.row('A')?.state, 'held');
  fate = 'delivered';
  store.change(id, 1, { state: 'waiting' });
  await clock.advance(0);
  assert.equal(transfer.jobs.length, 1);
  assert.deepEqual(store.notices, []);
});

test('a row that is held or dropped after it was leased is not sent', async () => {
  const { clock, store, transfer } = bench({ wait: after(HOUR), options: { slotsPerDomain: 1 } });
  store.add({ id: 'A', to: ['x@far.test'] });
  const held = store.add({ id: 'B', to: ['y@far.test'] });
  store.add({ id: 'C', to: ['z@far.test'] });
  await clock.advance(MINUTE);
  store.change(held, 1, { state: 'held' });
  store.messages.delete('C' as typeof held);
  await clock.advance(5 * HOUR);
  assert.deepEqual(
    transfer.jobs.map(({ id }) => id),
    ['A'],
  );
});

test('retry by hand is at once', async () => {
  const { clock, store, transfer } = bench({ fate: () => 'deferred' });
  const id = store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(MINUTE);
  store.change(id, 1, { nextMs: clock.now() });
  await clock.advance(0);
  assert.equal(transfer.jobs.length, 2);
});

test('a transfer that breaks its promises loses nothing', async () => {
  const clock = new TestClock();
  const store = new TestStore(clock);
  const { transfer } = bench({ clock, store });
  transfer.send = () => Promise.reject(new Error('a bug'));
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(MINUTE);
  assert.match(store.row('A')?.lastAnswer ?? '', /without a result/);
  transfer.send = () => Promise.resolve({ recipients: [], facts: {} });
  await clock.advance(DAY);
  assert.equal(store.messages.size, 1);
});
