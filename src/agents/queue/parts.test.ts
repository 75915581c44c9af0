/** The parts of the queue by themselves: lanes, rests, schedule, steady time, what goes back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Domain, QueueId } from '#base/brand.ts';
import type { DueRecipient } from '#store/queue.ts';
import type { RecipientResult } from '../transfer/job.ts';
import { Lanes } from './lanes.ts';
import { Rests, signOf } from './rests.ts';
import { SCHEDULE, backoffMs, isOver, jittered } from './schedule.ts';
import { SteadyTime } from './steady.ts';
import { DAY, HOUR, MINUTE, bench } from './testing.ts';
import { result } from './testing-agents.ts';
import { TestClock } from './testing-world.ts';

const LIMITS = {
  slots: 10,
  slotsPerMessage: 5,
  unwrittenPerDomain: 5,
  recipientsPerJob: 2,
  rows: 8,
  rowsPerDomain: 4,
};
const far = 'far.test' as Domain;

function row(id: string, number: number, domain = 'far.test'): DueRecipient {
  return { id: id as QueueId, number, domain: domain as Domain, nextMs: 0 };
}

const chance = (octet: number) => ({ bytes: (n: number) => new Uint8Array(n).fill(octet) });

test('lanes: no more rows in memory than allowed, of one destination and in all', () => {
  const lanes = new Lanes(LIMITS, () => 1);
  const taken = [1, 2, 3, 4, 5, 6].map((number) => lanes.offer(row('A', number)));
  assert.deepEqual(taken, [true, true, true, true, false, false]);
  for (let n = 1; n <= 6; n += 1) lanes.offer(row('B', n, `d${n}.test`));
  assert.equal(lanes.rows, 8);
  lanes.done(lanes.take()!);
  assert.equal(lanes.rows, 6);
  assert.equal(lanes.offer(row('A', 5)), true);
});

test('lanes: messages take turns, a row is leased until it is done', () => {
  const lanes = new Lanes({ ...LIMITS, rows: 100, rowsPerDomain: 100 }, () => 10);
  for (let n = 1; n <= 6; n += 1) lanes.offer(row('A', n));
  lanes.offer(row('B', 1));
  const order = [lanes.take()!, lanes.take()!, lanes.take()!, lanes.take()!];
  assert.deepEqual(
    order.map(({ id, numbers }) => `${id}${numbers.join()}`),
    ['A1,2', 'B1', 'A3,4', 'A5,6'],
  );
  assert.equal(lanes.take(), undefined);
  assert.equal(lanes.offer(row('A', 3)), false);
  lanes.done(order[2]!);
  assert.equal(lanes.offer(row('A', 3)), true);
  lanes.done(order[1]!, 'keep');
  assert.equal(lanes.offer(row('B', 1)), false, 'kept for ever');
  assert.equal(lanes.running, 2);
});

test('lanes: what waits for its destination goes on when a place is free', () => {
  let allowed = 1;
  const lanes = new Lanes(LIMITS, () => allowed);
  for (const id of ['A', 'B', 'C']) lanes.offer(row(id, 1));
  const job = lanes.take()!;
  assert.equal(lanes.take(), undefined);
  allowed = 10;
  lanes.done(job);
  assert.deepEqual([lanes.take()?.id, lanes.take()?.id], ['B', 'C']);
});

test('lanes: a place at the destination is free when the job is sent, in all when it is done', () => {
  const lanes = new Lanes({ ...LIMITS, slots: 3 }, () => 1);
  for (const id of ['A', 'B', 'C', 'D']) lanes.offer(row(id, 1));
  const jobs = ['A', 'B', 'C'].map((id) => {
    const job = lanes.take()!;
    assert.equal(job.id, id);
    assert.equal(lanes.take(), undefined);
    lanes.sent(job);
    lanes.sent(job);
    return job;
  });
  assert.equal(lanes.take(), undefined, 'three at the same time');
  assert.equal(lanes.offer(row('A', 1)), false, 'leased until it is done');
  lanes.done(jobs[0]!);
  assert.equal(lanes.take()?.id, 'D');
  assert.equal(lanes.offer(row('A', 1)), true);
  for (const job of jobs.slice(1)) lanes.done(job);
  assert.equal(lanes.take(), undefined, 'one at the destination');
});

test('lanes: no more jobs of a destination wait for the disk than a crash may cost', () => {
  const lanes = new Lanes({ ...LIMITS, unwrittenPerDomain: 2 }, () => 2);
  for (const id of ['A', 'B', 'C', 'D']) lanes.offer(row(id, 1));
  const sent = ['A', 'B'].map((id) => {
    const job = lanes.take()!;
    assert.equal(job.id, id);
    lanes.sent(job);
    return job;
  });
  assert.equal(lanes.take(), undefined, 'two answers are not written yet');
  lanes.offer(row('E', 1, 'near.test'));
  assert.equal(lanes.take()?.id, 'E', 'another destination does not wait');
  lanes.done(sent[0]!);
  const third = lanes.take();
  assert.equal(third?.id, 'C');
  assert.equal(lanes.take()?.id, 'D', 'what is not answered yet may be two');
  lanes.sent(third);
  lanes.done(sent[1]!);
});

test('lanes: what is only put off does not wait for the disk', () => {
  const lanes = new Lanes({ ...LIMITS, unwrittenPerDomain: 1 }, () => Number.POSITIVE_INFINITY);
  for (const id of ['A', 'B', 'C']) {
    lanes.offer(row(id, 1));
    const job = lanes.take();
    assert.equal(job?.id, id);
    lanes.sent(job);
  }
});

test('rests: one failure for many that fail together, doubled each time, ended by an answer', () => {
  const rests = new Rests(SCHEDULE, 100);
  rests.learn(far, 'unreachable', 'no route', 0);
  rests.learn(far, 'unreachable', 'no route', 1_000);
  assert.equal(rests.state(far, MINUTE - 1), 'resting');
  assert.deepEqual(rests.rest(far, 20_000), { leftMs: 40_000, reason: 'no route' });
  assert.equal(rests.state(far, MINUTE), 'probe');
  rests.learn(far, 'unreachable', 'no route', MINUTE);
  assert.equal(rests.state(far, 3 * MINUTE - 1), 'resting');
  rests.learn(far, 'unclear', '', 3 * MINUTE);
  assert.equal(rests.state(far, 3 * MINUTE), 'probe');
  rests.learn(far, 'reached', '', 3 * MINUTE);
  assert.equal(rests.state(far, 3 * MINUTE), 'open');
  for (let n = 0, at = 0; n < 60; n += 1, at += DAY) rests.learn(far, 'unreachable', '', at);
  assert.ok(rests.rest(far, 59 * DAY).leftMs <= SCHEDULE.maximalBackoffMs);
});

test('rests: a bounded memory', () => {
  const rests = new Rests(SCHEDULE, 100);
  for (let n = 0; n < 500; n += 1) rests.learn(`d${n}.test` as Domain, 'unreachable', '', 0);
  assert.equal(rests.size, 100);
  assert.equal(rests.state('d0.test' as Domain, 0), 'open');
  assert.equal(rests.state('d499.test' as Domain, 0), 'resting');
});

test('signs: what a result says of its destination', () => {
  const busy: RecipientResult = {
    ...result(1, 'deferred'),
    reply: { code: 421, enhanced: '4.3.2', lines: ['closing'] },
  } as RecipientResult;
  const table: readonly [readonly RecipientResult[], string][] = [
    [[], 'unclear'],
    [[result(1, 'delivered')], 'reached'],
    [[result(1, 'failed'), result(2, 'deferred')], 'reached'],
    [[result(1, 'unreachable'), result(2, 'unreachable')], 'unreachable'],
    [[busy], 'unreachable'],
    [[result(1, 'lost')], 'unclear'],
    [[{ ...result(1, 'lost'), status: '4.7.10' } as RecipientResult], 'unreachable'],
    // Our own trouble, with the content of this message perhaps.
    [[{ ...result(1, 'lost'), status: '4.3.0' } as RecipientResult], 'unclear'],
    [[result(1, 'unreachable'), result(2, 'delivered')], 'reached'],
    [[result(1, 'unreachable'), result(2, 'lost')], 'unclear'],
  ];
  for (const [results, expected] of table) assert.equal(signOf(results), expected);
});

test('schedule: doubled up to the maximum, with a tenth of chance', () => {
  const waits = [1, 2, 3, 4, 5, 6, 50, 1e9].map((attempts) => backoffMs(SCHEDULE, attempts) / 1e3);
  assert.deepEqual(waits, [300, 600, 1_200, 2_400, 4_000, 4_000, 4_000, 4_000]);
  assert.equal(jittered(1_000, chance(0)), 1_000);
  assert.equal(jittered(1_000, chance(128)), 1_050);
  assert.equal(jittered(1_000, chance(255)), 1_100);
});

test('schedule: what is given up, and what a wrong clock cannot make us give up', () => {
  const message = { acceptedMs: 100 * DAY };
  const expiresMs = 105 * DAY;
  const table: readonly [attempts: number, now: number, steady: number, over: boolean][] = [
    [200, 105 * DAY - 1, 5 * DAY, false],
    [109, 105 * DAY, 5 * DAY, true],
    [0, 105 * DAY, HOUR, false],
    [40, 3_650 * DAY, HOUR, false],
    [60, 105 * DAY, 0, true],
    // A tarpit that lets us try once a day: time that has passed steadily counts too.
    [5, 105 * DAY, 5 * DAY, true],
    // A clock that fell back behind the arrival.
    [60, 1 * DAY, 5 * DAY, false],
    [120, 1 * DAY, 5 * DAY, true],
  ];
  for (const [attempts, nowMs, steadyMs, over] of table) {
    const said = isOver(SCHEDULE, message, { attempts, expiresMs }, { nowMs, steadyMs });
    assert.equal(said, over, `${attempts} attempts, day ${nowMs / DAY}, steady ${steadyMs / DAY}`);
  }
  const once = { attempts: 0, expiresMs: message.acceptedMs };
  const nowMs = message.acceptedMs;
  assert.equal(isOver(SCHEDULE, message, once, { nowMs, steadyMs: 0 }), true, 'a life of nothing');
});

test('steady time begins again after a jump, either way', async () => {
  const clock = new TestClock();
  const steady = new SteadyTime(clock);
  await clock.advance(HOUR);
  assert.deepEqual(steady.look(), { steadyMs: HOUR, jumpMs: 0 });
  clock.jump(20_000);
  assert.deepEqual(steady.look(), { steadyMs: HOUR, jumpMs: 0 }, 'a correction');
  clock.jump(-DAY);
  assert.deepEqual(steady.look(), { steadyMs: 0, jumpMs: -DAY });
  await clock.advance(MINUTE);
  assert.deepEqual(steady.look(), { steadyMs: MINUTE, jumpMs: 0 });
});

const SMALL = 'Subject: x\r\n\r\nbody\r\n';
const LARGE = `Subject: x\r\n\r\n${'body\r\n'.repeat(20_000)}`;
const GOES_BACK = [
  { ret: undefined, octets: SMALL, fate: 'failed', body: true },
  { ret: 'full', octets: SMALL, fate: 'failed', body: true },
  { ret: 'headers', octets: SMALL, fate: 'failed', body: false },
  { ret: 'full', octets: LARGE, fate: 'failed', body: false },
  { ret: 'full', octets: SMALL, fate: 'relayed', body: false },
] as const;

for (const { ret, octets, fate, body } of GOES_BACK) {
  test(`RET=${ret ?? '(none)'}, ${octets.length} octets, ${fate}: body ${body ? '' : 'not '}returned`, async () => {
    const { clock, store, notify } = bench({ fate: () => fate });
    const to = [{ address: 'x@far.test', notify: ['success', 'failure'] as const }];
    store.add({ id: 'A', to, octets, envelope: { ret } });
    await clock.advance(0);
    const original = notify.asked[0]?.original;
    assert.equal(original?.head.length, 14);
    assert.equal(original?.body?.length, body ? octets.length - 14 : undefined);
  });
}

test('a head above the limit is cut, and said to be', async () => {
  const { clock, store, notify } = bench({ fate: () => 'failed' });
  store.add({ id: 'A', to: ['x@far.test'], octets: `X: ${'y'.repeat(60_000)}\r\n\r\nz\r\n` });
  await clock.advance(0);
  const original = notify.asked[0]?.original;
  assert.equal(original?.head.length, 51_200);
  assert.deepEqual([original?.cut, original?.body], [true, undefined]);
});

test('a bug after the sending does not send again, and others go on', async () => {
  const { clock, store, transfer, log } = bench();
  const send = transfer.send.bind(transfer);
  let sent = 0;
  transfer.send = async (job) => {
    if (job.id !== ('A' as QueueId)) return send(job);
    sent += 1;
    return { recipients: [{ number: 1, kind: 'delivered' } as RecipientResult], facts: {} };
  };
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(HOUR);
  store.add({ id: 'B', to: ['y@far.test'] });
  await clock.advance(DAY);
  assert.equal(sent, 1);
  assert.deepEqual([...store.messages.keys()], ['A']);
  assert.equal(log.lines.filter(({ name }) => name === 'queue.attempt-failed').length, 1);
});

test('rows left on disk are fetched when there is room, not a minute later', async () => {
  const options = { rowsPerDomain: 4, recipientsPerJob: 1, idleMs: DAY };
  const { clock, store } = bench({ options });
  const to = Array.from({ length: 40 }, (_, n) => `u${n}@far.test`);
  store.add({ id: 'A', to });
  await clock.advance(30_000);
  assert.equal(store.messages.size, 0);
});

test('a clock set back hides no new mail', async () => {
  const { clock, store, transfer } = bench({ options: { idleMs: DAY } });
  store.add({ id: 'A', to: ['x@far.test'] });
  await clock.advance(0);
  clock.jump(-HOUR);
  store.add({ id: 'B', to: ['x@far.test'] });
  await clock.advance(0);
  assert.equal(transfer.jobs.length, 2);
});
