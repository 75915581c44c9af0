/** Refusals: one entry for many, found by all their keys, and no longer than it has to be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '#base/brand.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Refusals } from './refusals.ts';
import type { Site } from './site.ts';

test('refusals of a moment are one entry, in order, under all their keys', () => {
  const { refusals, clock, entries } = open();
  refusals.add({ rule: 'a' }, ['x@a.test']);
  refusals.writeSoon();
  refusals.add({ rule: 'b' }, ['y@a.test', 'x@a.test']);
  refusals.writeSoon();
  assert.equal(entries.length, 0);
  clock.pass(500);
  refusals.write();
  assert.deepEqual(
    entries.map(({ keys, facts }) => [keys, facts]),
    [
      [
        ['x@a.test', 'y@a.test'],
        { client: '192.0.2.1', refusals: [{ rule: 'a' }, { rule: 'b' }], dialogue: ['QUIT'] },
      ],
    ],
  );
});

test('evidence is told once, the last of it, however many recipients are refused', () => {
  const { refusals, entries } = open();
  for (let turn = 1; turn <= 1_000; turn += 1) {
    const dns = Array.from({ length: Math.min(turn, 60) }, () => 'x'.repeat(1_000));
    refusals.add({ rule: 'relay', recipient: `${turn}@there.test` }, [`${turn}@there.test`], {
      dns,
    });
  }
  refusals.add({ rule: 'protocol' }, []);
  refusals.write();
  const [entry] = entries;
  assert.ok(entry !== undefined);
  assert.ok(JSON.stringify(entry).length < 100_000, `${JSON.stringify(entry).length} characters`);
  assert.equal((entry.facts['dns'] as string[]).length, 60);
  assert.equal((entry.facts['refusals'] as unknown[]).length, 60);
  // The next transaction has evidence of its own.
  refusals.add({ rule: 'relay' }, []);
  refusals.write();
  assert.equal(entries[1]?.facts['dns'], undefined);
});

function open() {
  const clock = virtualClock();
  const entries: LedgerEntry[] = [];
  const store = {
    write: (_: string, { entries: written }: { entries: readonly LedgerEntry[] }) => {
      entries.push(...written);
      return Promise.resolve();
    },
  };
  const refusals = new Refusals({
    site: { clock, store } as unknown as Pick<Site, 'clock' | 'log' | 'store'>,
    session: 'S' as SessionId,
    client: () => ({ client: '192.0.2.1' }),
    dialogue: () => ['QUIT'],
  });
  return { refusals, clock, entries };
}
