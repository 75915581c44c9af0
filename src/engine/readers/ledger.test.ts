/** trace: the stories that a queue id, session, Message-ID or address leads to. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerEntry } from '#store/ledger.ts';
import { BUCKET_ENTRIES } from '../steps/ledger.ts';
import { START_MS, entryOf, openTestStore } from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';

const DAY_MS = 86_400_000;

/** One session with two messages, a refused recipient, an attempt and a bounce later. */
const ENTRIES = [
  entryOf({ kind: 'session', session: 's1', facts: { n: 1 } }),
  entryOf({
    kind: 'refused',
    session: 's1',
    keys: ['nobody@demo.test'],
    atMs: START_MS + 1,
    facts: { n: 2 },
  }),
  entryOf({
    kind: 'accepted',
    session: 's1',
    queueId: 'qA',
    keys: ['alice@demo.test', 'Mixed.Case@x.example'],
    atMs: START_MS + 2,
    facts: { n: 3 },
  }),
  entryOf({
    kind: 'accepted',
    session: 's1',
    queueId: 'qB',
    keys: ['carol@x.example'],
    atMs: START_MS + 3,
    facts: { n: 4 },
  }),
  entryOf({ kind: 'bounced', queueId: 'qA', atMs: START_MS + 9, facts: { n: 6 } }),
  entryOf({ kind: 'attempt', queueId: 'qA', atMs: START_MS + 5, facts: { n: 5 } }),
  entryOf({ kind: 'session', session: 's2', atMs: START_MS + 4, facts: { n: 7 } }),
];

async function numbers(it: TestStore, key: string, limit = 100): Promise<unknown[]> {
  return (await it.store.ledger.trace(key, limit)).map(({ facts }) => facts['n']);
}

async function checkStories(it: TestStore): Promise<void> {
  const storyOfA = [1, 2, 3, 5, 6];
  for (const key of [
    'qA',
    'alice@demo.test',
    'ALICE@Demo.Test',
    'Mixed.Case@x.example',
    '<mixed.case@X.EXAMPLE>',
  ]) {
    assert.deepEqual(await numbers(it, key), storyOfA, key);
  }
  assert.deepEqual(await numbers(it, 'carol@x.example'), [1, 2, 4]);
  assert.deepEqual(await numbers(it, 'nobody@demo.test'), [1, 2]);
  assert.deepEqual(await numbers(it, 's1'), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(await numbers(it, 's2'), [7]);
  for (const key of ['unknown', '', '<>', '__proto__', '%', '*', "' OR 1=1 --"]) {
    assert.deepEqual(await numbers(it, key), [], key);
  }
}

test('a key leads to its stories, in the order of time', async (t) => {
  const it = await openTestStore(t);
  await it.do('ledger', { entries: ENTRIES });
  await checkStories(it);
  const [entry] = (await it.store.ledger.trace('qB', 1)).slice(-1);
  assert.deepEqual(entry, ENTRIES[3]);
});

test('the newest entries are those kept when there are too many', async (t) => {
  const it = await openTestStore(t);
  await it.do('ledger', { entries: ENTRIES });
  assert.deepEqual(await numbers(it, 's1', 2), [5, 6]);
  assert.deepEqual(await numbers(it, 's1', 0), []);
});

function noise(from: number): LedgerEntry[] {
  return Array.from({ length: BUCKET_ENTRIES }, (_, at) =>
    entryOf({ queueId: `noise${from + at}` }),
  );
}

test('what is found does not depend on whether it is indexed yet', async (t) => {
  const it = await openTestStore(t);
  await it.do('ledger', { entries: ENTRIES.slice(0, 3) });
  await it.do('ledger', { entries: noise(0) });
  assert.deepEqual(it.row('SELECT count(DISTINCT bucket) FROM ledger_index'), [1]);
  await it.do('ledger', { entries: ENTRIES.slice(3) });
  await checkStories(it);
  await it.do('ledger', { entries: noise(BUCKET_ENTRIES) });
  assert.deepEqual(it.row('SELECT count(DISTINCT bucket) FROM ledger_index'), [2]);
  await checkStories(it);
  assert.equal((await it.store.ledger.trace('noise1', 9)).length, 1);
  const again = await it.reopen();
  await checkStories(again);
});

function entries(from: number, atMs: number): LedgerEntry[] {
  return Array.from({ length: BUCKET_ENTRIES }, (_, at) =>
    entryOf({ queueId: `q${from + at}`, keys: [`k${from + at}`], atMs }),
  );
}

test('sweep forgets old entries and the buckets that are empty then', async (t) => {
  const it = await openTestStore(t, { limits: { sweptRows: BUCKET_ENTRIES } });
  await it.do('ledger', { entries: entries(0, START_MS) });
  await it.do('ledger', { entries: entries(10_000, START_MS + 40 * DAY_MS) });
  const sweep = () => it.do('sweep', { nowMs: START_MS + 41 * DAY_MS, ledgerDays: 30 });
  assert.deepEqual(await sweep(), { kind: 'swept', contents: 0, entries: BUCKET_ENTRIES });
  assert.deepEqual(await sweep(), { kind: 'swept', contents: 0, entries: 0 });
  assert.deepEqual(await it.store.ledger.trace('k5', 9), []);
  assert.equal((await it.store.ledger.trace('k10005', 9)).length, 1);
  assert.deepEqual(it.row('SELECT count(DISTINCT bucket), sum(length(keys)) FROM ledger_index'), [
    1,
    BUCKET_ENTRIES * 2 * 8,
  ]);
});

test('an entry has at most 1,000 keys', async (t) => {
  const it = await openTestStore(t);
  const keys = Array.from({ length: 1500 }, (_, at) => `k${at}@x`);
  await it.do('ledger', { entries: [entryOf({ queueId: 'q1', keys })] });
  const [entry] = await it.store.ledger.trace('q1', 9);
  assert.equal(entry?.keys.length, 1000);
});
