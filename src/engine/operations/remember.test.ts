/** What policy remembers survives, is told newest first, and is forgotten when it is old. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Remembered } from '#store/memories.ts';
import { openTestStore } from '#test/engine/fixture.ts';

test('memories: written, changed, read newest first by kind, forgotten by age', async (t) => {
  const it = await openTestStore(t);
  const greylist = (entries: readonly Remembered[], forgetBeforeMs = 0) =>
    it.do('remember', { kind: 'greylist', entries, forgetBeforeMs });
  await greylist([one('a', 10), one('b', 20)]);
  await it.do('remember', { kind: 'written', entries: [one('c', 30)], forgetBeforeMs: 0 });
  await greylist([one('a', 40, 2)]);
  assert.deepEqual(await it.store.memories.list('greylist', 10), [one('a', 40, 2), one('b', 20)]);
  assert.deepEqual(await it.store.memories.list('greylist', 1), [one('a', 40, 2)]);
  await greylist([], 30);
  assert.deepEqual(await it.store.memories.list('greylist', 10), [one('a', 40, 2)]);
  assert.deepEqual(await it.store.memories.list('written', 10), [one('c', 30)]);
});

function one(key: string, lastMs: number, times = 1): Remembered {
  return { key, firstMs: 1, lastMs, times };
}
