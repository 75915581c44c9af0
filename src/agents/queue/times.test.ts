/** When rows are tried and given up, also under clocks that jump; and how the queue stops. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, HOUR, MINUTE, after, bench, notices } from './testing.ts';
import { TestStore } from './testing-store.ts';
import { TestClock } from './testing-world.ts';

test('tries come after 5, 10, 20, 40 and then each 67 minutes; lastly at the end of life', async () => {
  const { clock, store, transfer } = bench({ fate: () => 'deferred' });
  const times: number[] = [];
  const start = clock.now();
  store.add({ id: 'A', to: ['x@far.test'] });
  for (let minute = 0; minute <= 5 * 24 * 60 + 5; minute += 1) {
    const before = transfer.jobs.length;
    await clock.advance(MINUTE);
    if (transfer.jobs.length > before) times.push(Math.round((clock.now() - start) / MINUTE));
  }
  assert.deepEqual(times.slice(0, 6), [1, 5, 15, 35, 75, 142]);
  assert.equal(times.at(-1), 5 * 24 * 60);
  assert.ok(times.length > 105 && times.length < 115, String(times.length));
  assert.deepEqual(notices(store), ['delayed x@far.test', 'failed x@far.test']);
  assert.equal(store.messages.size, 0);
  assert.equal(store.entries.at(-2)?.kind, 'expired');
});

test('a clock that jumps ten years ahead: each row is tried, none is returned early', async () => {
  const { clock, store, transfer } = bench({ fate: () => 'deferred' });
  for (let n = 0; n < 50; n += 1) store.add({ id: `A${n}`, to: [`x@d${n % 5}.test`] });
  await clock.advance(HOUR);
  const before = transfer.jobs.length;
  clock.jump(3_650 * DAY);
  await clock.advance(2 * HOUR);
  const tries = transfer.jobs.length - before;
  assert.ok(tries >= 50 && tries <= 150, `${tries} tries`);
  const failed = (): number => notices(store).filter((one) => one.startsWith('failed ')).length;
  assert.equal(failed(), 0);
  await clock.advance(3 * DAY);
  assert.equal(store.messages.size, 0, 'in the end they are given up');
  assert.equal(failed(), 50);
});

test('a clock that falls ten years back: rows are tried on, and there is no storm', async () => {
  const { clock, store, transfer } = bench({ fate: () => 'deferred' });
  for (let n = 0; n < 50; n += 1) store.add({ id: `A${n}`, to: [`x@d${n % 5}.test`] });
  await clock.advance(HOUR);
  const before = transfer.jobs.length;
  clock.jump(-3_650 * DAY);
  await clock.advance(3 * HOUR);
  const tries = transfer.jobs.length - before;
  assert.ok(tries >= 100 && tries <= 250, `${tries} tries`);
  assert.deepEqual(store.notices, []);
});

test('a machine that was off for a week does not return what it hardly tried', async () => {
  const clock = new TestClock();
  const store = new TestStore(clock);
  store.add({ id: 'A', to: ['x@far.test'] });
  clock.jump(7 * DAY);
  const { transfer } = bench({ clock, store, fate: () => 'deferred' });
  await clock.advance(DAY);
  assert.ok(transfer.jobs.length > 10);
  assert.equal(store.messages.size, 1);
  await clock.advance(3 * DAY);
  assert.equal(store.messages.size, 0);
});

test('stop: no new attempts, waits for those under way', async () => {
  const { clock, store, transfer, runner } = bench({ wait: after(5_000) });
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(0);
  let stopped = false;
  void runner.stop().then(() => (stopped = true));
  store.add({ id: 'B', to: ['y@far.test'] });
  await clock.advance(1_000);
  assert.equal(stopped, false);
  await clock.advance(5_000);
  assert.equal(stopped, true);
  assert.deepEqual([...store.messages.keys()], ['B']);
  assert.equal(transfer.jobs.length, 1);
  assert.equal(clock.alarms, 0);
});

test('stop does not wait longer than it was told', async () => {
  const { clock, store, runner, log } = bench({ wait: after(HOUR), options: { stopMs: 2_000 } });
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(0);
  let stopped = false;
  void runner.stop().then(() => (stopped = true));
  await clock.advance(2_000);
  assert.equal(stopped, true);
  assert.equal(log.lines.at(-1)?.name, 'queue.stopped-early');
  assert.equal(store.messages.size, 1);
});
