/** Summaries say the same as whole rows, of any ranges, and say so when they lack something. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test } from 'node:test';
import { latin1 } from '#base/bytes.ts';
import type { MessageSummary, SummaryPart } from '#store/mail.ts';
import { PARTS } from './summaries.ts';
import {
  START_MS,
  addAccount,
  fill,
  mailboxOf,
  messageOf,
  openTestStore,
  rangesUpTo,
} from '#test/engine/fixture.ts';

const someRanges = rangesUpTo({ gap: 40, width: 30, ranges: 8 });

test('summaries of any ranges are what the rows say', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 200);
  const store = (uids: [number, number][], flags: string[]) =>
    it.do('storeFlags', { mailbox: id, uids, mode: 'add', flags });
  await store([[10, 60]], ['\\Seen', '$Label']);
  await store([[50, 90]], ['\\Flagged', 'Work']);
  const gone = [
    [20, 25],
    [70, 70],
    [199, 200],
  ] as const;
  await it.do('expunge', { mailbox: id, uids: gone, onlyDeleted: false, nowMs: START_MS });
  await fc.assert(
    fc.asyncProperty(
      someRanges,
      fc.integer({ min: 1, max: 300 }),
      fc.subarray([...PARTS]),
      async (ranges, limit, parts) => {
        const found = await it.store.mail.summaries(id, ranges, { limit, parts });
        const rows = await it.store.mail.messages(id, ranges, { limit, expunged: true });
        assert.deepEqual(
          found.map(({ uid }) => uid),
          rows.map(({ uid }) => uid),
        );
        for (const [at, summary] of found.entries()) {
          const { uid, modSeq, flags, internalDateMs, sizeBytes } = rows[at]!;
          assert.equal(
            summary.lacking,
            gone.some(([from, to]) => uid >= from && uid <= to),
          );
          if (summary.lacking) continue;
          const has = (part: SummaryPart) => parts.includes(part);
          assert.equal(summary.modSeq, has('modSeq') ? modSeq : 0);
          assert.deepEqual(summary.flags, has('flags') ? flags : []);
          assert.equal(summary.internalDateMs, has('internalDate') ? internalDateMs : 0);
          assert.equal(summary.sizeBytes, has('size') ? sizeBytes : 0);
        }
      },
    ),
    { numRuns: 100 },
  );
});

/** A message whose head has so many octets. */
function withHead(bytes: number): ReturnType<typeof messageOf> {
  const one = messageOf();
  const head = new TextEncoder().encode(`${'a'.repeat(bytes)}: b\r\n\r\n`.slice(-bytes));
  return { ...one, content: { ...one.content, head } };
}

test('octets come along, unless they are large', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  const sizes = [100, 8_192, 8_193, 32_768, 32_769];
  await it.do('append', { mailbox: id, messages: sizes.map(withHead) });
  const lacking = async (limit: number): Promise<boolean[]> => {
    const found = await it.store.mail.summaries(id, [[1, 9]], { limit, parts: ['head'] });
    for (const [at, { head, lacking }] of found.entries()) {
      assert.equal(head.length, lacking ? 0 : sizes[at]);
    }
    return found.map((summary) => summary.lacking);
  };
  assert.deepEqual(await lacking(65), [false, false, true, true, true]);
  assert.deepEqual(await lacking(64), [false, false, false, false, true]);
  const details = ['envelope', 'bodyStructure'] as const;
  const [row] = await it.store.mail.messages(id, [[1, 1]], { limit: 1, details });
  const options = { limit: 250, parts: PARTS };
  const [whole] = (await it.store.mail.summaries(id, [[1, 1]], options)) as [MessageSummary];
  assert.equal(whole.envelope, row!.envelope);
  assert.equal(whole.bodyStructure, row!.bodyStructure);
  assert.ok(latin1(whole.head).endsWith(': b\r\n\r\n'));
});
