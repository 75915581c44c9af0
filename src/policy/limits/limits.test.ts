/** Limits on a virtual clock: what is counted, by whom, what it costs, and that it is bounded. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parseAddress } from '#base/address.ts';
import type { AccountId } from '#base/brand.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { AccountLimits } from './account-limits.ts';
import { Budget } from './budget.ts';
import { ClientLimits } from './client-limits.ts';
import type { ClientRates } from './client-limits.ts';
import { Greylist } from './greylist.ts';
import { Memory, memoryKey } from './memory.ts';

const NO_RATES: ClientRates = {
  connectionsPerMinute: 0,
  messagesPerMinute: 0,
  recipientsPerMinute: 0,
  unknownPerHour: 0,
  tarpitMs: 0,
};
const DAY_MS = 86_400_000;
const ALICE = Authenticated.verified(
  { account: 1 as AccountId, address: 'alice@demo.test' },
  'PLAIN',
);

suite('budget', () => {
  test('so many at once, then as many again in each period', () => {
    const clock = virtualClock();
    const budget = new Budget({ clock, units: 3, periodMs: 60_000 });
    assert.deepEqual(
      [1, 2, 3].map(() => budget.take('a')),
      [0, 0, 0],
    );
    assert.equal(budget.take('a'), 20_000);
    assert.equal(budget.take('b'), 0, 'others have their own');
    clock.pass(19_999);
    assert.ok(budget.take('a') > 0);
    clock.pass(1);
    assert.equal(budget.take('a'), 0);
  });

  test('never more than twice the limit in a period, however it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 200 }), (gaps) => {
        const clock = virtualClock();
        const budget = new Budget({ clock, units: 10, periodMs: 60_000 });
        const takenAt: number[] = [];
        for (const gap of gaps) {
          clock.pass(gap);
          if (budget.take('a') === 0) takenAt.push(clock.elapsed());
        }
        for (const from of takenAt) {
          const within = takenAt.filter((at) => at >= from && at < from + 60_000).length;
          assert.ok(within <= 20, `${within} in one period`);
        }
      }),
    );
  });

  test('0 units is no limit, and a bounded number of names is kept', () => {
    const clock = virtualClock();
    const none = new Budget({ clock, units: 0, periodMs: 1_000 });
    for (let n = 0; n < 1_000; n += 1) assert.equal(none.take('a'), 0);
    const few = new Budget({ clock, units: 1, periodMs: 1_000, entries: 100 });
    for (let n = 0; n < 1_000; n += 1) few.take(`name ${n}`);
    assert.equal(few.size, 100);
    assert.ok(few.take('name 999') > 0);
  });
});

suite('limits of networks', () => {
  test('a /24 and a /64 count as one, a /48 has four times as much', () => {
    const limits = new ClientLimits(virtualClock(), { ...NO_RATES, messagesPerMinute: 2 });
    const codes = (addresses: readonly string[]) =>
      addresses.map((address) => limits.message(address)?.reply.code ?? 250);
    assert.deepEqual(codes(['192.0.2.1', '192.0.2.9', '192.0.2.200']), [250, 250, 450]);
    assert.deepEqual(codes(['192.0.3.1', '2001:db8::1', '2001:db8::2']), [250, 250, 250]);
    assert.deepEqual(codes(['2001:db8::3']), [450]);
    const others = Array.from({ length: 8 }, (_, n) => `2001:db8:0:${n + 1}::1`);
    assert.deepEqual(codes(others), [250, 250, 250, 250, 250, 250, 450, 450]);
    assert.deepEqual(codes(['2001:db8:1::1']), [250], 'another /48');
  });

  test('every refusal names the setting, the network and the limit', () => {
    const limits = new ClientLimits(virtualClock(), { ...NO_RATES, connectionsPerMinute: 1 });
    assert.equal(limits.connection('192.0.2.1'), undefined);
    const refusal = limits.connection('192.0.2.2');
    assert.equal(refusal?.rule, 'smtpd_client_connection_rate_limit');
    assert.match(refusal.why, /192\.0\.2\.0\/24 had more than 1 connections in a minute/);
    assert.deepEqual([refusal.reply.code, refusal.close], [421, true]);
    assert.doesNotMatch(refusal.reply.lines.join(), /192/);
  });

  test('who guesses too often hears the same of every address', () => {
    const clock = virtualClock();
    const limits = new ClientLimits(clock, { ...NO_RATES, unknownPerHour: 5, tarpitMs: 10_000 });
    const held = Array.from({ length: 5 }, () => limits.guessed('unknown recipients', '192.0.2.1'));
    assert.deepEqual(held, [0, 0, 0, 1_000, 2_000]);
    const refusal = limits.recipient('192.0.2.77');
    assert.equal(refusal?.rule, 'smtpd_client_unknown_limit');
    assert.equal(refusal.reply.code, 450);
    assert.equal(limits.recipient('192.0.3.1'), undefined, 'another network');
    clock.pass(720_001);
    assert.equal(limits.recipient('192.0.2.1'), undefined, 'one guess more after a fifth');
  });

  test('an answer is held back, and only so many at a time', async () => {
    const clock = virtualClock();
    const limits = new ClientLimits(clock, NO_RATES);
    assert.equal(limits.heldBack(0, 'now'), 'now');
    const waiting = Array.from({ length: 1_000 }, () => limits.heldBack(5_000, 'later'));
    assert.ok(waiting.every((one) => one instanceof Promise));
    assert.equal(limits.heldBack(5_000, 'at once'), 'at once');
    clock.pass(5_000);
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['later']));
    assert.ok(limits.heldBack(5_000, 'x') instanceof Promise);
  });
});

suite('limits of accounts', () => {
  const rates = { messagesPerHour: 0, recipientsPerHour: 0, newRecipientsPerDay: 0, heldPerDay: 0 };

  test('what is over the limit is held, says why, and keeps being held while it goes on', () => {
    const clock = virtualClock();
    const written = new Memory({ clock, keepMs: DAY_MS });
    const limits = new AccountLimits(clock, { ...rates, messagesPerHour: 2 }, written);
    const send = () => limits.sending(ALICE, to('bob'));
    assert.deepEqual([send(), send()], [undefined, undefined]);
    const held = send();
    assert.deepEqual([held?.kind, held?.rule], ['hold', 'account_message_limit']);
    assert.match(held?.why ?? '', /alice@demo\.test sent more than 2 messages an hour/);
    for (let n = 0; n < 50; n += 1) assert.ok(send() !== undefined);
    clock.pass(3_600_000);
    assert.ok(send() !== undefined, 'a flood is not forgiven at once');
    clock.pass(2 * 3_600_000);
    assert.equal(send(), undefined);
  });

  test("a flood is not held for ever: beyond a day's worth it is refused for now", () => {
    const clock = virtualClock();
    const written = new Memory({ clock, keepMs: DAY_MS });
    const few = { ...rates, messagesPerHour: 2, heldPerDay: 10 };
    const limits = new AccountLimits(clock, few, written);
    const kinds = Array.from({ length: 100 }, () => limits.sending(ALICE, to('bob'))?.kind);
    assert.deepEqual(kinds.slice(0, 3), [undefined, undefined, 'hold']);
    assert.equal(kinds.filter((kind) => kind === 'hold').length, 10);
    const refused = limits.sending(ALICE, to('bob'));
    assert.ok(refused?.kind === 'refuse');
    assert.deepEqual([refused.rule, refused.reply.code], ['account_held_limit', 450]);
    clock.pass(DAY_MS / 10);
    assert.equal(limits.sending(ALICE, to('bob')), undefined, 'the flood ended, and is forgiven');
  });

  test('recipients count one by one, and those never written to apart', () => {
    const clock = virtualClock();
    const written = new Memory({ clock, keepMs: DAY_MS * 100 });
    const few = { ...rates, recipientsPerHour: 4, newRecipientsPerDay: 3 };
    const limits = new AccountLimits(clock, few, written);
    assert.equal(limits.sending(ALICE, to('a', 'b', 'c')), undefined);
    const strangers = limits.sending(ALICE, to('d'));
    assert.equal(strangers?.rule, 'account_new_recipient_limit');
    clock.pass(3_600_000);
    assert.equal(limits.sending(ALICE, to('a', 'b', 'c')), undefined, 'known ones are free');
    assert.equal(limits.sending(ALICE, to('a', 'b'))?.rule, 'account_recipient_limit');
    clock.pass(DAY_MS);
    assert.equal(limits.sending(ALICE, to('d')), undefined);
  });
});

suite('greylisting', () => {
  test('the first comes again, too soon waits on, in time passes, then always', () => {
    const { clock, greylist } = make();
    assert.equal(greylist.waitMs(TRIPLET), 300_000);
    clock.pass(100_000);
    assert.equal(greylist.waitMs(TRIPLET), 200_000);
    clock.pass(200_000);
    assert.equal(greylist.waitMs(TRIPLET), 0);
    assert.equal(greylist.waitMs(TRIPLET), 0);
    clock.pass(35 * DAY_MS);
    assert.equal(greylist.waitMs(TRIPLET), 0);
    clock.pass(37 * DAY_MS);
    assert.equal(greylist.waitMs(TRIPLET), 300_000, 'forgotten');
  });

  test('each part of the triplet counts; a retry after days is a first attempt', () => {
    const { clock, greylist } = make();
    greylist.waitMs(TRIPLET);
    clock.pass(300_000);
    for (const other of [{ network: 'x' }, { sender: '' }, { recipient: 'b@demo.test' }]) {
      assert.equal(greylist.waitMs({ ...TRIPLET, ...other }), 300_000, JSON.stringify(other));
    }
    clock.pass(2 * DAY_MS);
    assert.equal(greylist.waitMs(TRIPLET), 300_000);
  });

  test('a network that comes back with different mail is known as a whole', () => {
    const { clock, greylist } = make();
    for (const n of [1, 2, 3]) greylist.waitMs(from(n));
    clock.pass(300_000);
    for (const n of [1, 2, 3]) assert.equal(greylist.waitMs(from(n)), 0);
    assert.equal(greylist.waitMs(from(4)), 0);
    assert.equal(greylist.waitMs({ ...from(4), network: 'other' }), 300_000);
  });

  test('what was written down is known after a restart', () => {
    const { clock, memory, greylist } = make();
    greylist.waitMs(TRIPLET);
    const known = memory.takeChanges();
    assert.deepEqual(memory.takeChanges(), []);
    clock.pass(300_000);
    const anew = new Memory({ clock, keepMs: DAY_MS, known });
    assert.equal(make(anew, clock).greylist.waitMs(TRIPLET), 0);
    const empty = new Memory({ clock, keepMs: DAY_MS });
    assert.equal(make(empty, clock).greylist.waitMs(TRIPLET), 300_000, 'the control');
  });
});

test('a memory is bounded, keeps what was seen last, and its keys tell nothing', () => {
  const clock = virtualClock();
  const memory = new Memory({ clock, keepMs: DAY_MS, entries: 10 });
  for (let n = 0; n < 100; n += 1) memory.see(`${n}`);
  assert.equal(memory.size, 10);
  assert.equal(memory.find('99')?.times, 1);
  assert.equal(memory.find('0'), undefined);
  assert.match(memoryKey('a', 'b'), /^[\w-]{22}$/);
  assert.notEqual(memoryKey('a', 'b'), memoryKey('ab', ''));
});

const TRIPLET = { network: '192.0.2.0/24', sender: 'x@sender.test', recipient: 'a@demo.test' };

function make(memory?: Memory, clock = virtualClock()) {
  const options = { delayMs: 300_000, retryMs: 2 * DAY_MS, networkPasses: 3 };
  const kept = memory ?? new Memory({ clock, keepMs: 36 * DAY_MS });
  return { clock, memory: kept, greylist: new Greylist({ clock, memory: kept, ...options }) };
}

function from(n: number) {
  return { ...TRIPLET, sender: `${n}@sender.test` };
}

function to(...names: string[]) {
  return names.map((name) => parseAddress(`${name}@there.test`) ?? assert.fail(name));
}
