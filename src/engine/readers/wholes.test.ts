/** Messages read together are those that are read one by one, and nothing damaged is among them. */

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { test } from 'node:test';
import type { ContentId } from '#base/brand.ts';
import { NO_BYTES } from '#base/bytes.ts';
import {
  START_MS,
  addAccount,
  contentOf,
  fill,
  mailboxOf,
  messageOf,
  openTestStore,
} from '#test/engine/fixture.ts';

test('several messages in any order, some of them there twice, in a file, or nowhere', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 20);
  const spool = it.store.spool();
  await spool.write(new Uint8Array(100_000).fill(0x78));
  const large = await spool.finish();
  const { head, body } = contentOf();
  const contents = [
    { head, body: large },
    { head, body: NO_BYTES },
    { head: NO_BYTES, body },
    { head: NO_BYTES, body: NO_BYTES },
    { head, body: Uint8Array.from({ length: 256 }, (_, octet) => octet) },
  ];
  const messages = contents.map((content) => messageOf({ content }));
  await it.do('append', { mailbox: id, messages });
  const rows = await it.store.mail.messages(id, [[1, 99]], { limit: 99 });
  const expected = new Map(
    await Promise.all(
      rows.map(async ({ content, uid }) => {
        const octets = await it.store.mail.octets(content, 0, 200_000);
        return [content, uid === 21 ? undefined : Buffer.from(octets).toString('hex')] as const;
      }),
    ),
  );
  const asked = fc.array(fc.constantFrom(...expected.keys(), 99 as ContentId), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(asked, async (some) => {
      const found = await it.store.mail.wholes(some);
      assert.deepEqual(
        found.map((octets) => octets && Buffer.from(octets).toString('hex')),
        some.map((content) => expected.get(content)),
      );
    }),
    { numRuns: 100 },
  );
});

test('what changed on disk is not brought along, its neighbours are', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 5);
  const rows = await it.store.mail.messages(id, [[1, 5]], { limit: 5 });
  const contents = rows.map(({ content }) => content);
  const database = new DatabaseSync(`${it.directory}/postern.db`);
  const change = 'UPDATE octets SET bytes = CAST(? AS BLOB) WHERE content = ?';
  database.prepare(change).run('massage 2\r\n', contents[1]!);
  database.prepare(change).run('longer than it was\r\n', contents[3]!);
  database.close();
  const found = await it.store.mail.wholes(contents);
  assert.deepEqual(
    found.map((octets) => octets !== undefined),
    [true, false, true, false, false],
  );
  await it.do('expunge', { mailbox: id, uids: [[1, 1]], onlyDeleted: false, nowMs: START_MS });
  assert.equal((await it.store.mail.wholes(contents.slice(0, 1)))[0]?.length, 29);
});
