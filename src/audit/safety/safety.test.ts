/** Nobody is harmed: whom a run may touch, whom it may name, what it may cost. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Connection, Network } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { mockResolver } from '#test/world/audit.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Budget, budgetFor } from './budget.ts';
import { GuardedNetwork } from './guard.ts';
import { AuditPermit, isOwnNetwork, type PermissionQuestion } from './permit.ts';
import { Recipients } from './recipients.ts';

const NOW = Date.UTC(2026, 10, 22);

const question = (more: Partial<PermissionQuestion>): PermissionQuestion => ({
  host: 'mail.example.org',
  addresses: ['192.0.2.1'],
  level: 'safe',
  authorisedBy: undefined,
  now: NOW,
  ...more,
});
const txt = (records: Readonly<Record<string, string>>) =>
  mockResolver({
    txt: (name) => {
      const record = records[name];
      return Promise.resolve(
        record === undefined
          ? { kind: 'none', why: 'nxdomain', authentic: false }
          : { kind: 'found', records: [record], ttlSeconds: 1, authentic: false },
      );
    },
  });
const at = (record: string, name = '_mailaudit.mail.example.org') => ({ [name]: record });
const code = (expected: string) => (error: unknown) =>
  error instanceof Failure && error.code === expected;

const asked = async (more: Partial<PermissionQuestion>, records = {}) => {
  const permission = await AuditPermit.ask(question(more), txt(records));
  return permission.kind === 'permitted' ? permission.permit.ground.kind : permission.kind;
};

suite('permission', () => {
  test('loopback and private addresses need nobody, any public address among them does', async () => {
    assert.equal(await asked({ addresses: ['127.0.0.1', '10.1.2.3', 'fd00::1'] }), 'own-network');
    assert.equal(await asked({ addresses: ['127.0.0.1', '192.0.2.1'] }), 'refused');
    assert.equal(await asked({ addresses: [] }), 'refused');
    for (const address of [
      '127.9.9.9',
      '172.31.0.1',
      '192.168.1.1',
      '169.254.1.1',
      '::1',
      'fe80::1',
    ]) {
      assert.ok(isOwnNetwork(address), address);
    }
    for (const address of [
      '172.32.0.1',
      '11.0.0.1',
      '128.0.0.1',
      '2001:db8::1',
      '100.64.0.1',
      'x',
    ]) {
      assert.ok(!isOwnNetwork(address), address);
    }
  });

  test('a name and a reference authorise, one of them alone does not', async () => {
    assert.equal(await asked({ authorisedBy: 'Jane Doe, ticket 12' }), 'authorised');
    for (const authorisedBy of ['', 'Jane Doe', 'Jane Doe,', ', ticket', 'x,y']) {
      assert.equal(await asked({ authorisedBy }), 'refused', authorisedBy);
    }
  });

  test('the published record counts for its name, level and time', async () => {
    assert.equal(await asked({}, at('v=mailaudit1')), 'published');
    assert.equal(await asked({}, at('v=mailaudit1', '_mailaudit.example.org')), 'published');
    assert.equal(await asked({}, at('v=mailaudit1', '_mailaudit.org')), 'refused');
    assert.equal(await asked({ level: 'active' }, at('v=mailaudit1')), 'refused');
    assert.equal(await asked({ level: 'active' }, at('v=mailaudit1; level=active')), 'published');
    assert.equal(await asked({}, at('v=mailaudit1; until=2026-11-22')), 'published');
    for (const until of ['2026-11-21', 'soon', '']) {
      assert.equal(await asked({}, at(`v=mailaudit1; until=${until}`)), 'refused', until);
    }
    assert.equal(await asked({}, at('v=spf1 -all')), 'refused');
    assert.equal(await asked({}, at('v=mailaudit1; level=everything')), 'refused');
  });

  test('a DNS that does not answer permits nothing', async () => {
    const failing = mockResolver({
      txt: () => Promise.resolve({ kind: 'failed', reason: 'timeout' }),
    });
    assert.equal((await AuditPermit.ask(question({}), failing)).kind, 'refused');
  });
});

suite('recipients', () => {
  const recipients = new Recipients({
    own: ['mail.target.net', 'target.net'],
    addresses: ['198.51.100.7'],
    canary: 'canary.net',
  });

  test('nobody, the target and the canary may be named, in any syntax', () => {
    const allowed = [
      'a@b.invalid',
      'a@b.test',
      'a@x.example',
      'root',
      'postmaster',
      'a@localhost',
      'jane.doe@target.net',
      'a@sub.target.net',
      'a@canary.net',
      'a@[198.51.100.7]',
      'a%b.invalid@target.net',
      '@target.net,@mail.target.net:a@b.invalid',
      'b.invalid!a',
      '"a@b.invalid"@target.net',
      'a@b.invalid.',
      'a@[127.0.0.1]',
      'a@[IPv6:::1]',
      '',
    ];
    for (const text of allowed) assert.equal(recipients.form(text).text, text);
  });

  test('third parties may not, in none of the forms that route to them', () => {
    const third = 'third.com';
    const forms = [
      `a@${third}`,
      `a%${third}@target.net`,
      `"a@${third}"@target.net`,
      `${third}!a@target.net`,
      `@${third}:a@b.invalid`,
      `@target.net,@${third}:a@b.invalid`,
      `a@b.invalid@${third}`,
      'a@[203.0.113.9]',
      'a@[IPv6:2a00::1]',
      `a\uff20${third}`,
      `a@third\u3002com`,
      `a@${third}.`,
      `a@THIRD.COM`,
      `a%${third}%target.net@target.net`,
      `a@invalid.${third}`,
      `a@xinvalid.com`,
      `a@example.com`,
      `"a"@${third}`,
      `a@target.net.${third}`,
      `a@nottarget.net`,
    ];
    for (const form of forms) {
      assert.throws(
        () => recipients.form(form),
        (error) => error instanceof Failure && error.code === 'third-party',
        form,
      );
      const octets = Buffer.from(`RCPT TO:<${form}>`).toString('latin1');
      assert.equal(recipients.allowsLine(octets), false, form);
    }
  });
});

suite('guard', () => {
  const written: string[] = [];
  const inner = (): Connection => ({
    remote: { address: '127.0.0.1', port: 25 },
    local: { address: '127.0.0.1', port: 40_000 },
    secure: undefined,
    open: () => undefined,
    write: (bytes) => written.push(Buffer.from(bytes).toString('latin1')) > 0,
    pause: () => undefined,
    resume: () => undefined,
    startTls: () => Promise.reject(new Error('not here')),
    end: () => undefined,
    destroy: () => undefined,
  });
  const network: Network = {
    listen: () => Promise.reject(new Error('not here')),
    connect: () => Promise.resolve(inner()),
  };
  const recipients = new Recipients({ own: ['target.net'], addresses: [], canary: undefined });
  const guarded = async (messages = 1) => {
    written.length = 0;
    const limits = { ...budgetFor('active', 'loopback'), messages, connections: 3 };
    const permit = { covers: (address: string) => address === '127.0.0.1' };
    const budget = new Budget(limits, systemClock);
    const net = new GuardedNetwork(network, { permit, budget, recipients });
    const where = { address: '127.0.0.1', port: 25, timeoutMs: 10 };
    return { net, where, budget, connection: await net.connect(where) };
  };
  test('an address that was not permitted is not connected to, and nobody listens', async () => {
    const { net, where } = await guarded();
    await assert.rejects(net.connect({ ...where, address: '127.0.0.2' }), code('not-permitted'));
    assert.throws(() => net.listen(), code('not-permitted'));
  });

  test('a third party is never written, however the octets are cut', async () => {
    const line = 'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@third.com>\r\n';
    const { connection } = await guarded();
    assert.throws(() => connection.write(fromLatin1(line)), code('third-party'));
    assert.deepEqual(written, []);
    const { connection: slow } = await guarded();
    assert.throws(() => {
      for (const octet of fromLatin1(line)) slow.write(Uint8Array.of(octet));
    }, code('third-party'));
    assert.ok(!written.join('').includes('third.com>\r'), 'the line was ended');
    const { connection: bare } = await guarded();
    const smuggled = fromLatin1('x\n.\nRCPT TO:<a@third.com>\n');
    assert.throws(() => bare.write(smuggled), code('third-party'));
    const { connection: good } = await guarded();
    good.write(fromLatin1('RCPT TO:<a@b.invalid>\r\n'));
    assert.equal(written.length, 1);
  });

  test('connections and messages are counted before they happen', async () => {
    const { net, where, connection, budget } = await guarded();
    connection.write(fromLatin1('DATA\r\n'));
    assert.equal(budget.spent.messages, 0, 'out of sequence it is no message');
    const message = 'MAIL FROM:<>\r\nRCPT TO:<a@b.invalid>\r\nDATA\r\n';
    connection.write(fromLatin1(message));
    assert.equal(budget.spent.messages, 1);
    assert.throws(() => connection.write(fromLatin1(message)), code('budget-spent'));
    await net.connect(where);
    await net.connect(where);
    await assert.rejects(net.connect(where), code('budget-spent'));
  });

  test('a place goes to the probe that has fewest, and waiting for one is not its own time', async () => {
    const clock = virtualClock();
    const limits = { ...budgetFor('active', 'loopback'), atOnce: 2 };
    const budget = new Budget(limits, clock);
    const permit = { covers: () => true };
    const [greedy, modest] = [0, 1].map(
      () => new GuardedNetwork(network, { permit, budget, recipients }),
    ) as [GuardedNetwork, GuardedNetwork];
    const where = { address: '127.0.0.1', port: 25, timeoutMs: 10 };
    const passes = async (ms: number): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      clock.pass(ms);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    };
    const connected: string[] = [];
    const held: Connection[] = [];
    const connect = (name: string, net: GuardedNetwork): void => {
      void net.connect(where).then((connection) => {
        connected.push(name);
        held.push(connection);
      });
    };
    for (let turn = 0; turn < 4; turn += 1) connect('greedy', greedy);
    await passes(10);
    connect('modest', modest);
    await passes(7_000);
    assert.deepEqual(connected, ['greedy', 'greedy']);
    assert.ok(modest.waitedMs >= 7_000);
    assert.ok(greedy.waitedMs < 100, 'it had connections to work with');
    held[0]?.destroy();
    await passes(10);
    assert.deepEqual(connected, ['greedy', 'greedy', 'modest']);
    held[1]?.destroy();
    await passes(10);
    assert.deepEqual(connected.slice(3), ['greedy']);
  });

  test('what a probe left open is closed, and it opens no more', async () => {
    const { net, where } = await guarded();
    net.closeAll();
    await assert.rejects(net.connect(where), code('not-permitted'));
  });

  test('level passive sends no message at all', () => {
    assert.equal(budgetFor('passive', 'loopback').messages, 0);
    assert.ok(budgetFor('safe', 'public').connectionsPerSecond <= 5);
    const { connections } = budgetFor('safe', 'public', 9);
    assert.equal(connections, 1_000, 'strangers are not pressed harder for having many addresses');
    assert.equal(budgetFor('safe', 'loopback', 2).connections, 2 * connections);
  });
});
