/** Who comes first: limits, fairness between messages and destinations, rests of dead ones. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransferJob } from '../transfer/job.ts';
import { DAY, HOUR, MINUTE, after, bench, notices } from './testing.ts';
import type { Fate } from './testing-agents.ts';
import type { TestClock } from './testing-world.ts';

function tarpit(job: TransferJob, clock: TestClock): Promise<void> {
  return after(job.domain === 'tarpit.test' ? 10 * MINUTE : 100)(job, clock);
}

function users(domain: string): string[] {
  return Array.from({ length: 12 }, (_, n) => `u${n}@${domain}`);
}

test('limits: in all, by destination, by message, recipients in one transaction', async () => {
  const options = { slots: 6, slotsPerDomain: 2, slotsPerMessage: 4, recipientsPerJob: 3 };
  const { clock, store, transfer } = bench({ wait: after(MINUTE), options });
  store.add({ id: 'A', to: ['a.test', 'b.test', 'c.test', 'd.test'].flatMap(users) });
  await clock.advance(0);
  assert.equal(transfer.running, 4);
  store.add({ id: 'B', to: users('e.test') });
  await clock.advance(1);
  assert.equal(transfer.running, 6);
  await clock.advance(HOUR);
  assert.equal(transfer.mostRunning, 6);
  assert.ok(transfer.jobs.every(({ recipients }) => recipients.length <= 3));
  assert.equal(store.messages.size, 0);
  assert.deepEqual(transfer.doubles, []);
});

test('a tarpit with a long backlog delays nobody else', async () => {
  const { clock, store, transfer } = bench({
    wait: tarpit,
    options: { rowsPerDomain: 50, pageRows: 100 },
  });
  for (let n = 0; n < 1_000; n += 1) store.add({ id: `T${n}`, to: ['x@tarpit.test'] });
  await clock.advance(2_000);
  for (let n = 0; n < 20; n += 1) {
    store.add({ id: `Q${n}`, to: [`x@quick${n}.test`] });
    await clock.advance(500);
    assert.equal(store.messages.has(`Q${n}` as never), false, `Q${n} is delivered`);
  }
  assert.equal(transfer.jobs.filter(({ domain }) => domain === 'tarpit.test').length, 10);
  await clock.advance(20 * HOUR);
  assert.equal(store.messages.size, 0);
  assert.deepEqual(transfer.doubles, []);
});

test('a mailing to 2,000 destinations leaves room for a letter', async () => {
  const { clock, store } = bench({ wait: after(10_000) });
  store.add({ id: 'M', to: Array.from({ length: 2_000 }, (_, n) => `x@d${n}.test`) });
  await clock.advance(5_000);
  store.add({ id: 'L', to: ['friend@home.test'] });
  await clock.advance(10_000);
  assert.equal(store.messages.has('L' as never), false);
  assert.equal(store.messages.has('M' as never), true);
});

test('a destination out of reach is probed by one message, not hammered by all', async () => {
  let fate: Fate = 'unreachable';
  const { clock, store, transfer } = bench({ fate: () => fate });
  for (let n = 0; n < 200; n += 1) store.add({ id: `A${n}`, to: ['x@dead.test'] });
  await clock.advance(6 * HOUR);
  const tries = transfer.jobs.length;
  assert.ok(tries >= 5 && tries < 40, `${tries} tries in six hours`);
  assert.equal(store.row('A7')?.lastAnswer, 'no host answered');
  fate = 'delivered';
  await clock.advance(90 * MINUTE);
  assert.equal(store.messages.size, 0);
  assert.equal(transfer.jobs.length, tries + 200);
  assert.deepEqual(store.notices.length, 200, 'one warning for each after four hours');
});

test('everybody at a dead destination gets one failure notice after five days', async () => {
  const { clock, store } = bench({ fate: () => 'unreachable' });
  for (let n = 0; n < 30; n += 1) store.add({ id: `A${n}`, to: ['x@dead.test'] });
  await clock.advance(6 * DAY);
  assert.equal(store.messages.size, 0);
  const told = notices(store);
  assert.equal(told.filter((text) => text.startsWith('delayed')).length, 30);
  assert.equal(told.filter((text) => text.startsWith('failed')).length, 30);
});

test('a message that breaks connections does not hold back the others', async () => {
  const { clock, store, transfer } = bench({
    fate: ({ id }) => (id === 'P' ? 'lost' : 'delivered'),
  });
  store.add({ id: 'P', to: ['x@far.test'] });
  await clock.advance(1_000);
  store.add({ id: 'A', to: ['y@far.test'] });
  await clock.advance(1_000);
  assert.deepEqual(
    transfer.jobs.map(({ id }) => id),
    ['P', 'A'],
  );
});

test('a destination that answers again is open for all at once', async () => {
  let fate: Fate = 'unreachable';
  const { clock, store, transfer } = bench({ fate: () => fate, wait: after(1_000) });
  for (let n = 0; n < 20; n += 1) store.add({ id: `A${n}`, to: ['x@dead.test'] });
  await clock.advance(30_000);
  fate = 'delivered';
  transfer.mostRunning = 0;
  await clock.advance(10 * MINUTE);
  assert.equal(store.messages.size, 0);
  assert.equal(transfer.mostRunning, 10);
});
