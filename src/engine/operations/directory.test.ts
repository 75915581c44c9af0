/** Domains, accounts, aliases: changes, refusals, and what the directory then says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, Domain } from '#base/brand.ts';
import {
  CREDENTIALS,
  DEMO,
  START_MS,
  acceptanceOf,
  addAccount,
  deliveryOf,
  openTestStore,
  recipientOf,
  relayOf,
} from '#test/engine/fixture.ts';

const OTHER = 'other.test' as Domain;
const NOBODY = 999 as AccountId;

test('domains: added once, catch-all set and cleared, removed', async (t) => {
  const it = await openTestStore(t);
  const { directory } = it.store;
  assert.equal(directory.domain(DEMO), undefined);
  assert.equal((await it.do('addDomain', { name: DEMO })).kind, 'done');
  assert.equal((await it.do('addDomain', { name: DEMO })).kind, 'exists');
  assert.deepEqual(directory.domain(DEMO), { name: DEMO, catchAll: undefined });
  const set = (name: Domain, address: string | undefined) =>
    it.do('setCatchAll', { name, address });
  assert.equal((await set(OTHER, 'a@b.test')).kind, 'no-such-domain');
  await set(DEMO, 'a@b.test');
  assert.equal(directory.domain(DEMO)?.catchAll, 'a@b.test');
  await set(DEMO, undefined);
  assert.deepEqual(directory.domains(), [{ name: DEMO, catchAll: undefined }]);
  assert.equal((await it.do('removeDomain', { name: OTHER })).kind, 'no-such-domain');
  assert.equal((await it.do('removeDomain', { name: DEMO })).kind, 'done');
  assert.deepEqual(directory.domains(), []);
});

test('accounts: added, looked up, given another password, shut out, removed', async (t) => {
  const it = await openTestStore(t);
  const { directory } = it.store;
  const nowMs = START_MS;
  const add = (address: string) =>
    it.do('addAccount', { address, credentials: CREDENTIALS, nowMs });
  assert.equal((await add('alice@demo.test')).kind, 'no-such-domain');
  const account = await addAccount(it);
  assert.equal((await add('alice@demo.test')).kind, 'exists');
  const expected = { id: account, address: 'alice@demo.test', enabled: true, createdMs: nowMs };
  assert.deepEqual(directory.account('alice@demo.test'), expected);
  assert.deepEqual(directory.accountById(account), expected);
  assert.deepEqual(directory.accounts(), [expected]);
  assert.deepEqual(directory.credentials(account)?.password, CREDENTIALS.password);
  const credentials = { ...CREDENTIALS, password: 'other' };
  assert.equal((await it.do('setCredentials', { account, credentials })).kind, 'done');
  assert.equal(directory.credentials(account)?.password, 'other');
  const late = { account, credentials: CREDENTIALS, instead: CREDENTIALS.password };
  assert.equal((await it.do('setCredentials', late)).kind, 'other-password');
  assert.equal(directory.credentials(account)?.password, 'other');
  const dearer = { account, credentials: { ...credentials, password: 'dearer' }, instead: 'other' };
  assert.equal((await it.do('setCredentials', dearer)).kind, 'done');
  assert.equal(directory.credentials(account)?.password, 'dearer');
  assert.deepEqual(
    Buffer.from(directory.credentials(account)!.scram.storedKey),
    Buffer.from(CREDENTIALS.scram.storedKey),
  );
  assert.equal((await it.do('setAccountEnabled', { account, enabled: false })).kind, 'done');
  assert.equal(directory.account('alice@demo.test')?.enabled, false);
  const none = { kind: 'no-such-account' };
  assert.deepEqual(await it.do('setCredentials', { account: NOBODY, credentials }), none);
  assert.deepEqual(await it.do('setAccountEnabled', { account: NOBODY, enabled: true }), none);
  assert.deepEqual(await it.do('removeAccount', { account: NOBODY }), none);
  assert.equal((await it.do('removeAccount', { account })).kind, 'done');
  assert.equal(directory.account('alice@demo.test'), undefined);
  assert.equal(directory.credentials(account), undefined);
});

test('removing an account removes its mail, and mail under way to it is refused', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const bob = await addAccount(it, 'bob@demo.test');
  const deliveries = [deliveryOf(account), deliveryOf(bob)];
  await it.do('accept', { acceptance: acceptanceOf('q1', { deliveries }) });
  await it.do('removeAccount', { account });
  assert.deepEqual(await it.store.mail.mailboxes(account), []);
  assert.deepEqual(await it.store.mail.subscriptions(account), []);
  assert.deepEqual(it.row('SELECT group_concat(refs) FROM content_references'), ['0,1']);
  await assert.rejects(it.do('accept', { acceptance: acceptanceOf('q2', { deliveries }) }), {
    kind: 'temporary',
    code: 'no-such-account',
  });
  // All or nothing: bob has only the first one.
  assert.deepEqual(it.row('SELECT count(*) FROM messages'), [1]);
});

test('aliases: set, replaced, removed; an account of that name is in the way', async (t) => {
  const it = await openTestStore(t);
  const { directory } = it.store;
  await addAccount(it);
  const set = (address: string, targets: string[]) => it.do('setAlias', { address, targets });
  assert.equal((await set('x@other.test', [])).kind, 'no-such-domain');
  assert.equal((await set('alice@demo.test', [])).kind, 'exists');
  assert.equal((await set('info@demo.test', ['z@x.example', 'Alice@Demo.test'])).kind, 'done');
  assert.deepEqual(directory.alias('info@demo.test'), {
    address: 'info@demo.test',
    targets: ['z@x.example', 'Alice@Demo.test'],
  });
  assert.equal((await set('info@demo.test', ['y@x.example'])).kind, 'done');
  assert.deepEqual(directory.alias('info@demo.test')?.targets, ['y@x.example']);
  assert.equal(directory.aliases().length, 1);
  const credentials = CREDENTIALS;
  const added = it.do('addAccount', { address: 'info@demo.test', credentials, nowMs: START_MS });
  assert.equal((await added).kind, 'exists');
  assert.equal((await it.do('removeAlias', { address: 'info@demo.test' })).kind, 'done');
  assert.equal((await it.do('removeAlias', { address: 'info@demo.test' })).kind, 'no-such-alias');
  assert.equal(directory.alias('info@demo.test'), undefined);
});

test('an account that something points to stays', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const address = 'info@demo.test';
  await it.do('setAlias', { address, targets: ['x@x.example', '"ALICE"@demo.TEST'] });
  const byAlias = await it.do('removeAccount', { account });
  assert.deepEqual(byAlias, { kind: 'in-use', by: 'alias info@demo.test' });
  await it.do('removeAlias', { address });
  await it.do('setCatchAll', { name: DEMO, address: 'Alice@demo.test' });
  const byCatchAll = await it.do('removeAccount', { account });
  assert.deepEqual(byCatchAll, { kind: 'in-use', by: 'catch-all of demo.test' });
  await it.do('setCatchAll', { name: DEMO, address: undefined });
  assert.equal((await it.do('removeAccount', { account })).kind, 'done');
});

test('a domain in use stays, and says who uses it', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  await it.do('addDomain', { name: OTHER });
  const user = async () => {
    const removed = await it.do('removeDomain', { name: DEMO });
    return removed.kind === 'in-use' ? removed.by : removed.kind;
  };
  assert.equal(await user(), 'account alice@demo.test');
  await it.do('removeAccount', { account });
  await it.do('setAlias', { address: 'info@demo.test', targets: ['x@x.example'] });
  assert.equal(await user(), 'alias info@demo.test');
  await it.do('removeAlias', { address: 'info@demo.test' });
  await it.do('setAlias', { address: 'info@other.test', targets: ['gone@demo.test'] });
  assert.equal(await user(), 'alias info@other.test');
  await it.do('setAlias', { address: 'info@other.test', targets: ['gone@notdemo.test'] });
  await it.do('setCatchAll', { name: OTHER, address: 'gone@demo.test' });
  assert.equal(await user(), 'catch-all of other.test');
  await it.do('setCatchAll', { name: OTHER, address: undefined });
  const queue = async (id: string, reversePath: string, to: string) => {
    const relay = relayOf([recipientOf(to)]);
    const envelope = { ...relay.envelope, reversePath };
    const acceptance = acceptanceOf(id, { relay: { ...relay, envelope } });
    await it.do('accept', { acceptance });
  };
  await queue('q0', 'x@notdemo.test', 'y@x.example');
  await queue('q1', 'x@x.example', 'y@demo.test');
  assert.equal(await user(), 'queued message q1');
  const drop = { action: 'drop', nowMs: START_MS, ledger: [] } as const;
  await it.do('queueCommand', { id: 'q1' as never, ...drop });
  await queue('q2', 'Alice@Demo.Test', 'y@x.example');
  assert.equal(await user(), 'queued message q2');
  await it.do('queueCommand', { id: 'q2' as never, ...drop });
  assert.equal(await user(), 'done');
});

test('names that are special in JavaScript are no accounts', async (t) => {
  const it = await openTestStore(t);
  await addAccount(it);
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.equal(it.store.directory.account(name), undefined);
    assert.equal(it.store.directory.alias(name), undefined);
    assert.equal(it.store.directory.domain(name as Domain), undefined);
  }
  assert.equal((await addAccount(it, '__proto__@demo.test')) > 0, true);
});
