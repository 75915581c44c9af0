/** The memories of policy on disk: what memory forgets is not kept there, either. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestStore } from '#test/engine/fixture.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { openMemories } from './memories.ts';

const DAY_MS = 86_400_000;

test('a flood of new clients does not grow the table without end', async (t) => {
  const { store } = await openTestStore(t);
  const clock = virtualClock();
  const log = { event: (_level: string, name: string) => assert.fail(name) };
  const memories = await openMemories(store, { clock, log }, 36 * DAY_MS, 100);
  for (let wave = 0; wave < 20; wave += 1) {
    for (let one = 0; one < 50; one += 1) {
      memories.greylist.see(`${wave} ${one}`);
      clock.pass(1);
    }
    await memories.stop();
    const rows = await store.memories.list('greylist', 10_000);
    assert.ok(rows.length <= 150, `${rows.length} rows after ${wave + 1} waves`);
  }
  const again = await openMemories(store, { clock, log }, 36 * DAY_MS, 100);
  assert.equal(again.greylist.find('19 49')?.times, 1);
  assert.equal(again.greylist.find('18 0')?.times, 1);
  await again.stop();
});

test('each kind is known again after a restart, and no other', async (t) => {
  const { store } = await openTestStore(t);
  const clock = virtualClock();
  const log = { event: (_level: string, name: string) => assert.fail(name) };
  const first = await openMemories(store, { clock, log }, DAY_MS);
  const kinds = ['greylist', 'written', 'open'] as const;
  for (const kind of kinds) first[kind].see(kind);
  await first.stop();
  const second = await openMemories(store, { clock, log }, DAY_MS);
  for (const kind of kinds) {
    for (const key of kinds) {
      assert.equal(second[kind].find(key)?.times, kind === key ? 1 : undefined);
    }
  }
  await second.stop();
});
