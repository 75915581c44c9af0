/** New rows that the store tells of, and jobs that wait for the disk alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, HOUR, MINUTE, after, bench } from './testing.ts';

test('rows that the store tells of are tried without a look at the disk', async () => {
  const { clock, store, transfer } = bench();
  await clock.advance(1_000);
  store.tells = true;
  const before = store.reads;
  for (let n = 0; n < 50; n += 1) store.add({ id: `A${n}`, to: ['x@far.test', 'y@other.test'] });
  await clock.advance(1_000);
  assert.equal(store.messages.size, 0);
  assert.equal(transfer.jobs.length, 100);
  assert.equal(store.reads, before);
});

test('rows that are told of and find no room, or are not due, or are held, are not lost', async () => {
  const { clock, store, transfer } = bench({
    wait: after(100),
    options: { rowsPerDomain: 20, pageRows: 50 },
  });
  store.tells = true;
  for (let n = 0; n < 500; n += 1) store.add({ id: `A${n}`, to: ['x@far.test'] });
  const laterMs = clock.now() + HOUR;
  store.add({ id: 'later', to: [{ address: 'x@far.test', nextMs: laterMs }] });
  store.add({ id: 'held', to: [{ address: 'x@far.test', state: 'held' }] });
  await clock.advance(30 * MINUTE);
  assert.deepEqual([...store.messages.keys()], ['later', 'held']);
  await clock.advance(DAY);
  assert.deepEqual([...store.messages.keys()], ['held']);
  assert.equal(transfer.jobs.length, 501);
  assert.deepEqual(transfer.doubles, []);
});

test('a row that is told of before its time is tried at its time', async () => {
  const { clock, store, transfer } = bench();
  await clock.advance(1_000);
  store.tells = true;
  store.add({ id: 'A', to: [{ address: 'x@far.test', nextMs: clock.now() + 2 * MINUTE }] });
  await clock.advance(2 * MINUTE - 1_000);
  assert.equal(transfer.jobs.length, 0);
  await clock.advance(2_000);
  assert.equal(transfer.jobs.length, 1);
});

test('what was told of is read again before it is sent', async () => {
  const { clock, store, transfer } = bench({ wait: after(1_000), options: { slotsPerDomain: 1 } });
  store.tells = true;
  const ids = ['A', 'B'].map((id) => store.add({ id, to: ['x@far.test'] }));
  store.change(ids[1]!, 1, { state: 'held' });
  await clock.advance(HOUR);
  assert.deepEqual(
    transfer.jobs.map(({ id }) => id),
    ['A'],
  );
});

test('a slow disk keeps no connection idle, and no more jobs open than allowed', async () => {
  const { clock, store, transfer } = bench({ options: { slots: 6, slotsPerDomain: 2 } });
  const { promise, resolve: write } = Promise.withResolvers<void>();
  store.disk = promise;
  for (let n = 0; n < 20; n += 1) store.add({ id: `A${n}`, to: ['x@far.test'] });
  await clock.advance(HOUR);
  assert.equal(transfer.jobs.length, 6);
  assert.equal(transfer.mostRunning, 2);
  write();
  await clock.advance(MINUTE);
  assert.equal(transfer.jobs.length, 20);
  assert.equal(store.messages.size, 0);
  assert.deepEqual(transfer.doubles, []);
});
