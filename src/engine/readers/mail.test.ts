/** Reading ranges, long mailboxes in slices, and counters that always match what they count. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test } from 'node:test';
import type { MailboxId, ModSeq, Uid } from '#base/brand.ts';
import { SLICE_ROWS } from './reading.ts';
import {
  START_MS,
  addAccount,
  fill,
  mailboxOf,
  messageOf,
  openTestStore,
  rangesUpTo,
} from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';
import { cpuTimer } from '#test/world/cpu.ts';

const someRanges = rangesUpTo({ gap: 60, width: 40, ranges: 12 });

test('messages of any ranges are those that a filter would find', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 300);
  const gone = [
    [2, 5],
    [40, 90],
    [100, 100],
    [200, 260],
  ] as const;
  await it.do('expunge', { mailbox: id, uids: gone, onlyDeleted: false, nowMs: START_MS });
  const isGone = (uid: number) => gone.some(([from, to]) => uid >= from && uid <= to);
  await fc.assert(
    fc.asyncProperty(
      someRanges,
      fc.integer({ min: 1, max: 400 }),
      fc.boolean(),
      async (...args) => {
        const [ranges, limit, expunged] = args;
        const found = await it.store.mail.messages(id, ranges, { limit, expunged });
        const expected = Array.from({ length: 300 }, (_, at) => at + 1)
          .filter((uid) => ranges.some(([from, to]) => uid >= from && uid <= to))
          .filter((uid) => expunged || !isGone(uid))
          .slice(0, limit);
        assert.deepEqual(
          found.map(({ uid }) => uid),
          expected,
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('100,000 ranges over a few messages are read at once', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 50);
  const ranges = Array.from({ length: 100_000 }, (_, at) => [at * 3 + 1, at * 3 + 1] as const);
  const spent = cpuTimer();
  const found = await it.store.mail.messages(id, ranges, { limit: 1_000_000 });
  assert.equal(found.length, 17);
  assert.ok(spent() < 500);
});

test('a long mailbox is read in slices, and what changes meanwhile is right', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id, highestModSeq } = await mailboxOf(it, account);
  const count = SLICE_ROWS * 2 + 500;
  const one = messageOf();
  await it.do('append', { mailbox: id, messages: Array.from({ length: count }, () => one) });
  const reading = it.store.mail.uids(id);
  const changes = it.store.mail.changes(id, highestModSeq);
  assert.ok(reading instanceof Promise && changes instanceof Promise);
  const expunge = it.do('expunge', {
    mailbox: id,
    uids: [
      [5, 5],
      [count, count],
    ],
    onlyDeleted: false,
    nowMs: START_MS,
  });
  const append = it.do('append', { mailbox: id, messages: [one] });
  const flags = it.do('storeFlags', {
    mailbox: id,
    uids: [[7, 7]],
    mode: 'add',
    flags: ['\\Seen'],
  });
  await Promise.all([expunge, append, flags]);
  const { uids, mailbox } = (await reading)!;
  const now = (await it.store.mail.uids(id))!;
  assert.ok(mailbox.highestModSeq >= highestModSeq);
  if (mailbox.highestModSeq === now.mailbox.highestModSeq) assert.deepEqual(uids, now.uids);
  assert.equal(uids.length, mailbox.messages);
  assert.equal(new Set(uids).size, uids.length);
  const { changed, vanished, highestModSeq: highest } = await changes;
  assert.equal(new Set(changed.map(({ uid }) => uid)).size, changed.length);
  if (highest === now.mailbox.highestModSeq) {
    assert.deepEqual(vanished, [5, count]);
    assert.deepEqual(
      changed.map(({ uid }) => uid),
      now.uids,
    );
    assert.deepEqual(changed.find(({ uid }) => uid === 7)?.flags, ['\\Seen']);
  }
});

test('what vanished longer ago than is remembered is told as all that is missing', async (t) => {
  const it = await openTestStore(t);
  const { id, highestModSeq } = await mailboxOf(it, await addAccount(it));
  await fill(it, id, 6);
  await it.do('expunge', { mailbox: id, uids: [[2, 3]], onlyDeleted: false, nowMs: START_MS });
  const { highestModSeq: between } = (await it.store.mail.mailboxById(id))!;
  const later = START_MS + 31 * 86_400_000;
  await it.do('expunge', { mailbox: id, uids: [[6, 6]], onlyDeleted: false, nowMs: later });
  await it.do('sweep', { nowMs: later, ledgerDays: 1 });
  assert.deepEqual(it.row('SELECT count(*) FROM tombstones'), [1]);
  const long = await it.store.mail.changes(id, highestModSeq);
  assert.deepEqual(long.vanished, [2, 3, 6]);
  const short = await it.store.mail.changes(id, between);
  assert.deepEqual(short.vanished, [6]);
});

type Step =
  | { readonly kind: 'append'; readonly flags: readonly string[] }
  | { readonly kind: 'store'; readonly from: number; readonly to: number; readonly flag: string }
  | { readonly kind: 'expunge'; readonly from: number; readonly to: number }
  | { readonly kind: 'copy' | 'move'; readonly from: number; readonly to: number };

const someFlag = fc.constantFrom('\\Seen', '\\Deleted', '\\Flagged', 'work');
const someSpan = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat({ max: 6 }));
const someStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), flags: fc.array(someFlag, { maxLength: 3 }) }),
  fc
    .tuple(someSpan, someFlag)
    .map(([[from, width], flag]) => ({ kind: 'store' as const, from, to: from + width, flag })),
  fc
    .tuple(someSpan, fc.constantFrom('expunge' as const, 'copy' as const, 'move' as const))
    .map(([[from, width], kind]) => ({ kind, from, to: from + width })),
);

test('after any steps the counters match, UIDs and modification sequences only grow', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const inbox = await mailboxOf(it, account);
  const trash = await mailboxOf(it, account, 'Trash');
  let before = [inbox, trash];
  await fc.assert(
    fc.asyncProperty(fc.array(someStep, { maxLength: 8 }), async (steps) => {
      for (const step of steps) await take(it, inbox.id, trash.id, step);
      const after = [await mailboxOf(it, account), await mailboxOf(it, account, 'Trash')];
      for (const [at, box] of after.entries()) {
        assert.ok(box.uidNext >= before[at]!.uidNext);
        assert.ok(box.highestModSeq >= before[at]!.highestModSeq);
        assert.equal(box.uidValidity, before[at]!.uidValidity);
        await checkCounters(it, box.id);
      }
      before = after;
      assert.deepEqual(
        it.row(`SELECT count(*) FROM content_references WHERE refs <>
          (SELECT count(*) FROM messages WHERE content = id)
          OR (refs = 0) <> (freed_ms IS NOT NULL)`),
        [0],
      );
    }),
    { numRuns: 40 },
  );
});

async function take(it: TestStore, inbox: MailboxId, trash: MailboxId, step: Step): Promise<void> {
  const uids = step.kind === 'append' ? [] : [[step.from, step.to] as const];
  const nowMs = START_MS;
  switch (step.kind) {
    case 'append':
      await it.do('append', { mailbox: inbox, messages: [messageOf({ flags: step.flags })] });
      return;
    case 'store':
      await it.do('storeFlags', { mailbox: inbox, uids, mode: 'add', flags: [step.flag] });
      return;
    case 'expunge':
      await it.do('expunge', { mailbox: inbox, uids, onlyDeleted: true, nowMs });
      return;
    default:
      await it.do('copy', { from: inbox, to: trash, uids, move: step.kind === 'move', nowMs });
  }
}

async function checkCounters(it: TestStore, id: MailboxId): Promise<void> {
  const { mailbox, uids } = (await it.store.mail.uids(id))!;
  const all = await it.store.mail.messages(id, [[1, 0xffff_ffff]], { limit: 1_000_000 });
  const has = (flag: string) => all.filter(({ flags }) => flags.includes(flag)).length;
  assert.deepEqual(
    all.map(({ uid }) => uid),
    uids,
  );
  assert.deepEqual(
    [mailbox.messages, mailbox.unseen, mailbox.deleted, mailbox.sizeBytes],
    [
      all.length,
      all.length - has('\\Seen'),
      has('\\Deleted'),
      all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ],
  );
  assert.ok(
    all.every(({ uid, modSeq }) => uid < mailbox.uidNext && modSeq <= mailbox.highestModSeq),
  );
  const { vanished } = await it.store.mail.changes(id, 0 as ModSeq);
  const present = new Set(uids);
  assert.ok(vanished.every((uid: Uid) => !present.has(uid)));
}
