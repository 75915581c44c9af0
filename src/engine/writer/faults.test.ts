/** The writer when the disk fills at any page, and when its thread dies. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { storeLimits } from '../options.ts';
import { WriterCore } from './core.ts';
import { threadPort } from './ports.ts';
import {
  START_MS,
  acceptanceOf,
  addAccount,
  contentOf,
  deliveryOf,
  entryOf,
  mailboxOf,
  openTestStore,
  recipientOf,
  relayOf,
} from '#test/engine/fixture.ts';

test('a disk that fills at any page: all of a batch is there, or nothing of it', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await it.store.close();
  const directory = it.directory;
  const place = { directory, database: join(directory, 'postern.db'), spool: `${directory}/spool` };
  const [pages] = it.row('PRAGMA page_count') as [number];
  let free = 0;
  const core = new WriterCore({ place, limits: storeLimits(undefined) }, (connection) =>
    connection.exec(LIMITS[free] ?? ''),
  );
  t.after(() => core.close());
  const LIMITS = Array.from({ length: 14 }, (_, more) => `PRAGMA max_page_count = ${pages + more}`);
  const outcomes = new Set<string>();
  let accepted = 0;
  for (free = 0; free < LIMITS.length; free += 1) {
    const jobs = [1, 2, 3].map((ticket) => ({
      ticket,
      operation: 'accept' as const,
      input: {
        acceptance: acceptanceOf(`q${free}-${ticket}`, {
          deliveries: [deliveryOf(account, { content: contentOf('x'.repeat(3000)) })],
          relay: relayOf([recipientOf('a@x.example')]),
          ledger: [entryOf({ kind: 'accepted', facts: { text: 'y'.repeat(2000) } })],
        }),
      },
    }));
    const done = core.run(jobs, START_MS);
    const failures = done.answers.map(({ failure }) => failure?.code ?? 'ok');
    assert.equal(new Set(failures).size, 1);
    assert.equal(done.sequence === undefined, failures[0] === 'disk-full');
    if (failures[0] === 'ok') accepted += 3;
    outcomes.add(failures[0] ?? '');
    assert.deepEqual(it.row('SELECT count(*) FROM messages'), [accepted]);
    assert.deepEqual(it.row('SELECT count(*) FROM queue_recipients'), [accepted]);
    assert.deepEqual(it.row('SELECT count(*) FROM ledger'), [accepted]);
    // The next round begins with a new connection and a little more room.
    core.close();
  }
  assert.deepEqual([...outcomes].sort(), ['disk-full', 'ok']);
  assert.deepEqual(it.row('PRAGMA integrity_check'), ['ok']);
  const again = await it.reopen();
  assert.equal((await mailboxOf(again, account)).messages, accepted);
});

test('an error at any statement of a batch undoes the batch, and the next one is whole', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await it.store.close();
  const directory = it.directory;
  const place = { directory, database: join(directory, 'postern.db'), spool: `${directory}/spool` };
  const core = new WriterCore({ place, limits: storeLimits(undefined) });
  t.after(() => core.close());
  const job = (ticket: number) => ({
    ticket,
    operation: 'accept' as const,
    input: { acceptance: acceptanceOf(`q${ticket}`, { deliveries: [deliveryOf(account)] }) },
  });
  // A trigger stands for a disk that fails while one table is written.
  for (const table of ['contents', 'octets', 'messages', 'mailboxes']) {
    const database = new DatabaseSync(place.database);
    const when = table === 'mailboxes' ? 'UPDATE' : 'INSERT';
    database.exec(`CREATE TRIGGER fault BEFORE ${when} ON ${table}
      BEGIN SELECT RAISE(ROLLBACK, 'fault'); END`);
    const failed = core.run([job(1), job(2)], START_MS);
    assert.equal(failed.sequence, undefined, table);
    assert.ok(failed.answers.every(({ failure }) => failure?.kind === 'temporary'));
    database.exec('DROP TRIGGER fault');
    database.close();
    assert.deepEqual(it.row('SELECT count(*) FROM contents'), [0], table);
  }
  const good = core.run([job(1), job(2)], START_MS);
  assert.ok(good.sequence !== undefined && good.answers.every(({ failure }) => !failure));
});

test('a thread that dies is told once, with its cause', async () => {
  const lost = await new Promise<unknown>((resolve) => {
    const port = threadPort(undefined as never, { received: () => undefined, lost: resolve });
    port.hold(true);
    port.post({ kind: 'work', jobs: [], nowMs: 0 });
  });
  assert.ok(lost instanceof Error);
});
