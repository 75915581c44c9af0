/** Threads of two processes on one store, while keys wait, are sorted in, or are taken back. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { storeLimits } from '../options.ts';
import { Connection } from '../connection.ts';
import { WriterCore } from './core.ts';
import { Threads } from './threads.ts';
import {
  START_MS,
  acceptanceOf,
  addAccount,
  deliveryOf,
  factsOf,
  openTestStore,
  type TestStore,
} from '#test/engine/fixture.ts';

const SMALL = { waitingKeys: 8, portionKeys: 3 };

/** One writing process as far as threads are concerned. */
class Process {
  readonly threads = new Threads(SMALL);
  readonly sql: Connection;
  #version = -1;

  constructor(it: TestStore) {
    this.sql = Connection.writer(join(it.directory, 'postern.db'), 1_000);
  }

  /** Runs one transaction as the writer does. */
  commit<T>(run: () => T): T {
    this.sql.run('BEGIN IMMEDIATE');
    const version = this.sql.dataVersion();
    if (version !== this.#version) this.threads.look(this.sql);
    this.#version = version;
    const result = run();
    this.threads.write(this.sql);
    this.sql.run('COMMIT');
    return result;
  }

  add(account: number, hash: number, thread: number): void {
    this.commit(() => this.threads.add(account, hash, thread));
  }

  find(account: number, hash: number): number | undefined {
    return this.commit(() => this.threads.find(this.sql, account, hash));
  }
}

test('keys are found while they wait, while they are sorted in, and by other processes', async (t) => {
  const it = await openTestStore(t);
  const alice = await addAccount(it);
  const bob = await addAccount(it, 'bob@demo.test');
  const [one, two] = [new Process(it), new Process(it)];
  t.after(() => [one, two].forEach(({ sql }) => sql.close()));
  // More than fits a signed 32-bit number, in no order, for both accounts.
  const hashes = Array.from({ length: 7 }, (_, at) => ((at * 5) % 7) * 2 ** 50 + 1);
  const check = (): void => {
    for (const process of [one, two]) {
      hashes.forEach((hash, at) => assert.equal(process.find(alice, hash), 100 + at));
      assert.equal(process.find(bob, hashes[0] ?? 0), 7);
      assert.equal(process.find(bob, hashes[1] ?? 0), undefined);
    }
  };
  hashes.forEach((hash, at) => (at % 2 ? one : two).add(alice, hash, 100 + at));
  two.add(bob, hashes[0] ?? 0, 7);
  check();
  assert.deepEqual(it.row('SELECT count(*) FROM threads'), [0]);
  let rounds = 0;
  for (; one.threads.isBehind; rounds += 1) {
    one.threads.sortIn(one.sql);
    // Somebody else's mail comes in between, and waits for the next round.
    if (rounds === 0) two.add(bob, 12345, 9);
    check();
  }
  assert.equal(rounds, 3);
  assert.deepEqual(it.row('SELECT count(*) FROM threads'), [8]);
  assert.deepEqual(it.row('SELECT count(*) FROM thread_news'), [1]);
  check();
  assert.equal(one.find(bob, 12345), 9);
  // The other one had them all in memory and learns that they were taken away.
  two.add(alice, 77, 10);
  assert.equal(two.threads.isBehind, false);
  assert.equal(one.find(alice, 77), 10);
});

test('two that sort in at the same time, and an account that goes meanwhile', async (t) => {
  const it = await openTestStore(t);
  const alice = await addAccount(it);
  const bob = await addAccount(it, 'bob@demo.test');
  const [one, two] = [new Process(it), new Process(it)];
  t.after(() => [one, two].forEach(({ sql }) => sql.close()));
  for (let hash = 1; hash <= 4; hash += 1) {
    one.add(alice, hash, hash);
    one.add(bob, hash, hash);
  }
  assert.equal(two.find(alice, 1), 1);
  one.threads.sortIn(one.sql);
  two.threads.sortIn(two.sql);
  assert.deepEqual(await it.do('removeAccount', { account: bob }), { kind: 'done' });
  while (two.threads.isBehind) two.threads.sortIn(two.sql);
  while (one.threads.isBehind) one.threads.sortIn(one.sql);
  assert.deepEqual(it.row('SELECT count(*), sum(thread) FROM threads'), [4, 10]);
  assert.deepEqual(it.row('SELECT count(*) FROM thread_news'), [0]);
  assert.equal(one.find(alice, 4), 4);
  one.add(alice, 5, 5);
  assert.equal(two.find(alice, 5), 5);
});

test('what a failed operation added is not kept, its neighbours are', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await it.store.close();
  const place = {
    directory: it.directory,
    database: join(it.directory, 'postern.db'),
    spool: join(it.directory, 'spool'),
  };
  const core = new WriterCore({ place, limits: storeLimits(undefined) });
  t.after(() => core.close());
  const threads = (): unknown =>
    it.row('SELECT group_concat(thread) FROM (SELECT thread FROM messages ORDER BY uid)')?.[0];
  let ticket = 0;
  const job = (messageId: string, references: readonly string[], to = account) => {
    const facts = factsOf({ messageId, references });
    const deliveries = [deliveryOf(account, { facts })];
    if (to !== account) deliveries.push(deliveryOf(to, { facts }));
    const acceptance = acceptanceOf(`q${(ticket += 1)}`, { deliveries });
    return { ticket, operation: 'accept' as const, input: { acceptance } };
  };
  const nobody = 999 as typeof account;
  const done = core.run(
    [job('first@x', []), job('lost@x', ['first@x'], nobody), job('late@x', ['lost@x'])],
    START_MS,
  );
  assert.deepEqual(
    done.answers.map(({ failure }) => failure?.code),
    [undefined, 'no-such-account', undefined],
  );
  // `lost@x` was the first one's thread only for a moment.
  core.run([job('more@x', ['lost@x']), job('again@x', ['first@x'])], START_MS);
  const [first, late, more, again] = String(threads()).split(',');
  assert.notEqual(first, late);
  assert.deepEqual([more, again], [late, first]);
  // The keys outlive the process that had them in memory.
  core.close();
  core.run([job('next@x', ['again@x']), job('other@x', [])], START_MS);
  assert.equal(String(threads()).split(',')[4], first);
  assert.notEqual(String(threads()).split(',')[5], first);
});
