/** Conservation: whatever happens, each recipient ends once and in one place. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { TransferJob } from '../transfer/job.ts';
import { DAY, HOUR, MINUTE, bench, notices } from './testing.ts';
import type { Fate } from './testing-agents.ts';
import { type MailOrder, TestStore } from './testing-store.ts';
import { TestClock } from './testing-world.ts';

const FATES: readonly Fate[] = [
  'delivered',
  'relayed',
  'failed',
  'deferred',
  'unreachable',
  'lost',
];

test('conservation: each recipient ends once, in one place, whatever happens', async () => {
  const mail = fc.record({
    from: fc.constantFrom('', 'alice@demo.test'),
    to: fc.array(
      fc.record({
        domain: fc.constantFrom('a.test', 'b.test', 'c.test'),
        notify: fc.constantFrom(undefined, [], ['failure'] as const, ['success'] as const),
        held: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  });
  const world = fc.record({
    mails: fc.array(mail, { minLength: 1, maxLength: 5 }),
    fates: fc.array(fc.constantFrom(...FATES), { minLength: 1, maxLength: 12 }),
    failures: fc.nat(5),
    restartAfter: fc.option(fc.nat(20_000_000), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(world, async ({ mails, fates, failures, restartAfter }) => {
      let turn = 0;
      const sent = new Map<string, Fate>();
      const again: string[] = [];
      const fate = (job: TransferJob, number: number): Fate => {
        const drawn = fates[turn++ % fates.length] ?? 'delivered';
        const address = job.recipients.find((each) => each.number === number)?.address;
        const before = sent.get(`${job.id} ${address}`) ?? 'deferred';
        if (['delivered', 'relayed', 'failed'].includes(before)) again.push(`${address}`);
        sent.set(`${job.id} ${address}`, drawn);
        return drawn;
      };
      const clock = new TestClock();
      const store = new TestStore(clock);
      let here = bench({ clock, store, fate, options: { recipientsPerJob: 2 } });
      const orders = mails.map(({ from, to }, n): MailOrder => {
        const rows = to.map(({ domain, notify, held }, k) => ({
          address: `m${n}r${k}@${domain}`,
          notify,
          state: held ? ('held' as const) : ('waiting' as const),
        }));
        return { id: `M${n}`, from, to: rows, lifetimeMs: 2 * HOUR };
      });
      for (const order of orders) store.add(order);
      store.failures = failures;
      if (restartAfter !== undefined) {
        await clock.advance(restartAfter);
        const stopping = here.runner.stop();
        await clock.advance(MINUTE);
        await stopping;
        // A result that no disk took before the end of the process is the one that is lost.
        for (const { id, recipients } of store.messages.values()) {
          for (const { address } of recipients) sent.delete(`${id} ${address}`);
        }
        here = bench({ clock, store, fate, options: { recipientsPerJob: 2 } });
      }
      await clock.advance(DAY);
      assert.deepEqual(here.transfer.doubles, []);
      assert.deepEqual(again, [], 'nobody is tried again after the end');
      const failed = notices(store)
        .filter((text) => text.startsWith('failed'))
        .join();
      for (const [n, { from, to }] of mails.entries()) {
        for (const [k, { domain, notify, held }] of to.entries()) {
          const address = `m${n}r${k}@${domain}`;
          const last = sent.get(`M${n} ${address}`);
          const row = store.row(`M${n}`, k + 1);
          if (held) {
            assert.equal(row?.state, 'held');
            continue;
          }
          assert.equal(row, undefined, `${address} has come to an end`);
          const ended = last === 'delivered' || last === 'relayed';
          const wanted = from !== '' && (notify?.some((kind) => kind === 'failure') ?? true);
          const times = failed.split(address).length - 1;
          assert.equal(times, !ended && wanted ? 1 : 0, `${address} ${last} ${notify?.join()}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});
