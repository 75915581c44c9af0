/** The host of a session: what one account may reach, and that sessions take turns. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MailboxId, ModSeq, SessionId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Clock, Connection } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import { addAccount, mailboxOf, messageOf, openTestStore } from '#test/engine/fixture.ts';
import { AccountAccess } from './access.ts';
import type { ImapSite } from './listener.ts';
import { ImapSession } from './session.ts';

test('one account sees nothing of another, whatever id it names', async (t) => {
  const it = await openTestStore(t);
  const alice = await addAccount(it, 'alice@demo.test');
  const bob = await addAccount(it, 'bob@demo.test');
  const inbox = await mailboxOf(it, bob);
  await it.do('append', { mailbox: inbox.id, messages: [messageOf()] });
  const own = await mailboxOf(it, alice);
  const [message] = await it.store.mail.messages(inbox.id, [[1, 9]], { limit: 9 });
  assert.ok(message !== undefined);
  const access = new AccountAccess({ store: it.store, clock: systemClock }, alice, () => {});
  assert.equal(await access.mailboxById(inbox.id), undefined);
  assert.equal(await access.uids(inbox.id), undefined);
  assert.deepEqual(await access.messages(inbox.id, [[1, 9]], { limit: 9 }), []);
  assert.deepEqual((await access.changes(inbox.id, 0 as ModSeq)).changed, []);
  assert.equal((await access.octets(message, 0, 100)).length, 0);
  assert.deepEqual(await access.wholes([message]), []);
  const uids = [[1, 9]] as const;
  const writes = [
    access.write('expunge', { mailbox: inbox.id, uids, onlyDeleted: false }),
    access.write('storeFlags', { mailbox: inbox.id, uids, mode: 'add', flags: ['\\Deleted'] }),
    access.write('copy', { from: inbox.id, uids, to: own.id, move: true }),
    access.write('copy', { from: own.id, uids, to: inbox.id, move: false }),
    access.write('deleteMailbox', { mailbox: inbox.id }),
    access.write('renameMailbox', { mailbox: inbox.id, to: 'x' }),
  ];
  for (const write of writes) await assert.rejects(write, { code: 'not-yours' });
  const upload = access.upload(10);
  await upload.write(utf8('a: b\r\n\r\nx'));
  assert.equal((await upload.append(inbox.id, [], undefined)).kind, 'refused');
  const none = 4_000_000 as MailboxId;
  assert.equal(await access.mailboxById(none), undefined);
  access.close();
  assert.equal((await mailboxOf(it, bob)).messages, 1);
  assert.throws(() => access.upload(10), Failure);
});

test('answers that are there at once still give the others their turn', async () => {
  let elapsed = 0;
  const waiting: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    elapsed: () => (elapsed += 6),
    after: (_ms, task) => {
      waiting.push(task);
      return { cancel: () => undefined };
    },
  };
  const site = { clock, logins: { session: () => undefined }, store: { mail: {} } };
  const remote = { address: '192.0.2.1', port: 1 };
  const listener = { name: 'imap', machine: {}, sessionMs: 1 };
  const host = new ImapSession(
    site as unknown as ImapSite,
    listener,
    { remote } as Connection,
    'S' as SessionId,
    () => undefined,
  );
  const who = { account: 1 } as Authenticated;
  const ask = (): unknown => host.answer({ kind: 'store', who, run: () => 1 });
  assert.deepEqual(ask(), { kind: 'stored', value: 1 });
  assert.deepEqual(ask(), { kind: 'stored', value: 1 });
  const third = ask();
  assert.ok(third instanceof Promise);
  assert.equal(waiting.length, 1);
  waiting[0]?.();
  assert.deepEqual(await third, { kind: 'stored', value: 1 });
});
