/** Fields of heads are those of the heads, whatever is known already; what is kept has a limit. */

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { test } from 'node:test';
import type { MailboxId, Uid } from '#base/brand.ts';
import { fromLatin1, latin1 } from '#base/bytes.ts';
import { fieldPicker } from '#message/field-picker.ts';
import { KnownFields, NO_FIELDS, fieldsIn, withFields } from './known-fields.ts';
import {
  START_MS,
  addAccount,
  mailboxOf,
  messageOf,
  openTestStore,
  rangesUpTo,
} from '#test/engine/fixture.ts';

const NAMES = ['from', 'subject', 'x', 'x-a', 'd\xe9j\xe0'];
const piece = fc.oneof(
  fc.constantFrom('From', 'SUBJECT', 'subject', 'X', 'X-A', 'D\xc9J\xc0', 'Received'),
  fc.constantFrom(
    ': ',
    ':',
    ' :',
    ' ',
    'a',
    '\xff',
    '\0',
    '"',
    '\r\n',
    '\r\n',
    '\r\n\t',
    '\r',
    '\n',
  ),
);
const hostileHead = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
const someNames = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 });

function withHead(head: string): ReturnType<typeof messageOf> {
  const one = messageOf();
  return { ...one, content: { ...one.content, head: fromLatin1(head) } };
}

/** What IMAP answers: the fields and an empty line. */
function fieldsOf(head: string, names: ReadonlySet<string>): string {
  const octets = fromLatin1(head);
  const spans = fieldPicker(names, true)(octets);
  let kept = '';
  for (let at = 0; at < spans.length; at += 2) kept += head.slice(spans[at], spans[at + 1]);
  return `${kept}\r\n`;
}

for (const [how, fieldBytes] of [
  ['all of them are kept', 1_000_000],
  ['few of them are kept', 12_000],
  ['none are kept', 0],
] as const) {
  test(`fields of hostile heads, where ${how}`, async (t) => {
    const it = await openTestStore(t, { limits: { fieldBytes } });
    const account = await addAccount(it);
    await it.do('createMailbox', {
      account,
      name: 'Other',
      specialUse: undefined,
      nowMs: START_MS,
    });
    const ids = [await mailboxOf(it, account), await mailboxOf(it, account, 'Other')];
    // Two mailboxes with other messages under the same UIDs.
    const heads = ids.map((_, seed) => fc.sample(hostileHead, { numRuns: 300, seed }));
    const large = `From: a\r\nX: ${'x'.repeat(8_200)}\r\nSubject: b\r\n\r\n`;
    const largest = `From: a\r\nX: ${'x'.repeat(32_800)}\r\n\r\n`;
    for (const [at, { id }] of ids.entries()) {
      heads[at]!.push(large, largest, 'From: in the next block\r\n\r\n');
      await it.do('append', { mailbox: id, messages: heads[at]!.map(withHead) });
      await it.do('expunge', {
        mailbox: id,
        uids: [[20, 25]],
        onlyDeleted: false,
        nowMs: START_MS,
      });
    }
    const check = async (
      box: number,
      ranges: [number, number][],
      limit: number,
      list: string[],
      flags: boolean,
    ): Promise<void> => {
      const parts = flags ? (['flags', 'envelope', 'head'] as const) : (['head'] as const);
      const fields = new Set(list);
      const found = await it.store.mail.summaries(ids[box]!.id, ranges, { limit, parts, fields });
      const plain = await it.store.mail.summaries(ids[box]!.id, ranges, { limit, parts: [] });
      assert.deepEqual(
        found.map(({ uid }) => uid),
        plain.map(({ uid }) => uid),
      );
      for (const { uid, lacking, head, envelope } of found) {
        const whole = heads[box]![uid - 1]!;
        const mustLack = (uid >= 20 && uid <= 25) || whole === largest;
        assert.ok(lacking === mustLack || (lacking && whole === large), `${uid}`);
        if (lacking) continue;
        assert.equal(latin1(head), fieldsOf(whole, fields));
        assert.equal(envelope !== '', flags);
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 1 }),
        rangesUpTo({ gap: 60, width: 200, ranges: 5 }),
        fc.integer({ min: 1, max: 400 }),
        someNames,
        fc.boolean(),
        check,
      ),
      { numRuns: 60 },
    );
    // Messages that came since, in a block that is known.
    heads[0]!.push('X-A: new\r\nFrom: new\r\n\r\n');
    await it.do('append', { mailbox: ids[0]!.id, messages: [withHead(heads[0]!.at(-1)!)] });
    await check(0, [[1, 1_000]], 1_000, ['from'], false);
    await check(0, [[1, 1_000]], 1_000, ['x-a', 'from'], false);
  });
}

test('what is known is not read again; damaged heads are never known', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  await it.do('append', { mailbox: id, messages: [messageOf(), messageOf()] });
  const ask = async (names: string[]) => {
    const options = { limit: 9, parts: ['head'], fields: new Set(names) } as const;
    const found = await it.store.mail.summaries(id, [[1, 2]], options);
    return found.map(({ head, lacking }) => (lacking ? undefined : latin1(head)));
  };
  const good = 'Subject: hello\r\n\r\n';
  assert.deepEqual(await ask(['subject']), [good, good]);
  const database = new DatabaseSync(`${it.directory}/postern.db`);
  database.exec('UPDATE contents SET head = CAST(upper(head) AS BLOB) WHERE id = 1');
  database.close();
  assert.deepEqual(await ask(['subject']), [good, good]);
  assert.deepEqual(await ask(['subject', 'x']), [undefined, good]);
  assert.deepEqual(await ask(['subject', 'x']), [undefined, good]);
});

test('heads above 8 KiB are known once others were, above 32 KiB never', async (t) => {
  const it = await openTestStore(t);
  const { id } = await mailboxOf(it, await addAccount(it));
  const sizes = [10, 8_193, 32_700, 32_769];
  const heads = sizes.map((bytes) =>
    `X: ${'x'.repeat(bytes)}\r\nFrom: a\r\n\r\n`.slice(-bytes - 5),
  );
  const few = Array.from({ length: 70 }, () => messageOf());
  await it.do('append', { mailbox: id, messages: [...heads.map(withHead), ...few] });
  const lacking = async (limit: number) => {
    const options = { limit, parts: ['head'], fields: new Set(['from']) } as const;
    const found = await it.store.mail.summaries(id, [[1, 99]], options);
    return found.slice(0, 4).map((one) => one.lacking);
  };
  assert.deepEqual(await lacking(70), [false, true, true, true]);
  assert.deepEqual(await lacking(70), [false, false, false, true]);
});

test('a list of names that is very long is not kept, whatever its order', () => {
  const id = 1 as MailboxId;
  const names = Array.from({ length: 200 }, (_, at) => `name${at}`);
  assert.equal(KnownFields.listOf(id, new Set(names)), undefined);
  assert.equal(
    KnownFields.listOf(id, new Set(['a', 'b'])),
    KnownFields.listOf(id, new Set(['b', 'a'])),
  );
  assert.notEqual(
    KnownFields.listOf(id, new Set(['a", "b'])),
    KnownFields.listOf(id, new Set(['a', 'b'])),
  );
});

test('the blocks used longest ago make room, and the limit holds', () => {
  const head = fromLatin1('x'.repeat(1_000));
  const uid = 1 as Uid;
  const block = withFields(NO_FIELDS, [{ uid, head, spans: [0, 1_000] }]);
  assert.equal(fieldsIn(block, uid)?.length, 1_002);
  const known = new KnownFields(10 * 4_000);
  const has = (): number[] =>
    Array.from({ length: 200 }, (_, at) => at).filter((at) => known.get('list', at) !== undefined);
  for (let number = 0; number < 100; number += 1) {
    known.get('list', 0);
    known.put('list', number, block);
    // The same again costs nothing.
    known.put('list', number, block);
  }
  const kept = has();
  assert.ok(kept.length >= 10 && kept.length <= 11, `${kept.length}`);
  assert.deepEqual(kept, [
    0,
    ...Array.from({ length: kept.length - 1 }, (_, at) => 100 - kept.length + 1 + at),
  ]);
});
