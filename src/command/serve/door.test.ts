/** The door: limits of one client, TLS and PROXY first, sessions told to stop, bugs kept apart. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { JsonObject } from '#base/json.ts';
import { Secure } from '#base/secure.ts';
import type { Connection, TlsIdentity } from '#base/world.ts';
import { Door } from './door.ts';
import type { Accept, DoorOptions } from './door.ts';
import { introduction } from './introduction.ts';
import type { ListenerRow } from './listeners.ts';
import { FakeClock, FakeConnection, settled } from './testing.ts';

const IDENTITY: TlsIdentity = { kind: 'tls-identity', names: [], notAfterMs: 0 };

function row(part: Partial<ListenerRow> = {}): ListenerRow {
  const hosts = ['127.0.0.1'];
  const base = { name: 'smtp', protocol: 'smtp', tls: 'starttls', hosts, port: 25 } as const;
  return { ...base, maxConnections: 10, ...part };
}
const IMAPS = row({ name: 'imaps', protocol: 'imap', tls: 'implicit' });

/** A door whose sessions are noted down; `close` of each ends it. */
function setUp(options: Partial<DoorOptions> & { readonly proxies?: readonly string[] } = {}) {
  const clock = new FakeClock();
  const log: { readonly name: string; readonly fields: JsonObject | undefined }[] = [];
  const served: { readonly connection: Connection; said: string; close(): void }[] = [];
  const accept: Accept = (connection, _row, closed) => {
    const session = { connection, said: '', close: closed };
    served.push(session);
    connection.open({
      received: (bytes) => void (session.said += latin1(bytes)),
      drained: () => undefined,
      ended: () => undefined,
      closed,
    });
    return {
      stop: () => void (session.said += '[stop]'),
      destroy: () => {
        session.said += '[destroyed]';
        closed();
      },
    };
  };
  const door = new Door({
    accept: { smtp: accept, imap: accept },
    tls: IDENTITY,
    handshakeMs: 1_000,
    perClient: 2,
    ...introduction(
      {
        smtpd_upstream_proxy_hosts: options.proxies ?? [],
        smtpd_upstream_proxy_timeout: 5_000,
      },
      clock,
    ),
    clock,
    log: { event: (_level, name, fields) => void log.push({ name, fields }) },
    metrics: { count: () => undefined, gauge: () => undefined, observe: () => undefined },
    ...options,
  });
  return { door, served, clock, log };
}

/** A connection whose handshake succeeds. */
function shaken(address?: string): FakeConnection {
  const connection = new FakeConnection(address);
  const secure = Secure.established({
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    serverName: undefined,
    peer: { kind: 'not-asked' },
    channelBinding: { exporter: undefined, serverEndPoint: undefined },
  });
  connection.handshake = Promise.resolve(secure);
  return connection;
}

describe('one client', () => {
  test('has a limit; another client is not touched; a place gets free again', () => {
    const { door, served } = setUp();
    const [first, second, third, other] = ['1', '1', '1', '2'].map(
      (last) => new FakeConnection(`192.0.2.${last}`),
    ) as [FakeConnection, FakeConnection, FakeConnection, FakeConnection];
    for (const connection of [first, second, third, other]) door.admit(connection, row());
    assert.equal(served.length, 3);
    assert.match(third.said, /^421 4\.7\.0 Too many connections.*\r\n\[end\]$/);
    assert.equal(other.said, '');
    served[0]?.close();
    served[0]?.close();
    door.admit(new FakeConnection('192.0.2.1'), row());
    door.admit(new FakeConnection('192.0.2.1'), row());
    assert.equal(served.length, 4);
  });

  test('under TLS from the start nothing is said in clear', () => {
    const { door } = setUp({ perClient: 1 });
    const refused = new FakeConnection();
    door.admit(new FakeConnection(), IMAPS);
    door.admit(refused, IMAPS);
    assert.equal(refused.said, '[end]');
  });

  test('0 is no limit', () => {
    const { door, served } = setUp({ perClient: 0 });
    for (let count = 0; count < 100; count += 1) door.admit(new FakeConnection(), row());
    assert.equal(served.length, 100);
    assert.equal(door.open, 100);
  });
});

describe('TLS from the first octet', () => {
  test('is there before the session; a failed handshake is logged and forgotten', async () => {
    const { door, served, log } = setUp({ perClient: 1 });
    const bad = new FakeConnection();
    bad.handshake = Promise.reject(Failure.temporary('tls-handshake', 'no shared cipher'));
    door.admit(bad, IMAPS);
    await settled();
    assert.equal(bad.said, '[tls][destroy]');
    assert.deepEqual(log, [
      {
        name: 'tls-failed',
        fields: { listener: 'imaps', remote: '192.0.2.1', reason: 'no shared cipher' },
      },
    ]);
    const good = shaken();
    door.admit(good, IMAPS);
    assert.equal(served.length, 0);
    await settled();
    assert.notEqual(served[0]?.connection.secure, undefined);
    assert.equal(door.open, 1);
  });

  test('without a certificate the connection is closed', () => {
    const { door } = setUp({ tls: undefined });
    const connection = new FakeConnection();
    door.admit(connection, IMAPS);
    assert.equal(connection.said, '[destroy]');
  });
});

describe('a listed proxy', () => {
  const proxies = ['127.0.0.1'];
  const LINE = 'PROXY TCP4 198.51.100.7 127.0.0.1 4711 25\r\n';

  test('says who the client is; what follows the header goes to the session, at any cut', async () => {
    for (let cut = 1; cut < LINE.length + 6; cut += 1) {
      const { door, served } = setUp({ proxies });
      const connection = new FakeConnection('127.0.0.1');
      door.admit(connection, row());
      const all = `${LINE}EHLO x\r\n`;
      connection.send(all.slice(0, cut));
      await settled();
      connection.send(all.slice(cut));
      await settled();
      assert.deepEqual(served[0]?.connection.remote, { address: '198.51.100.7', port: 4711 });
      assert.equal(served[0]?.said, 'EHLO x\r\n');
    }
  });

  test('counts for the client that it names, not for itself', async () => {
    const { door, served } = setUp({ proxies, perClient: 1 });
    for (const last of [1, 2, 3]) {
      const connection = new FakeConnection('127.0.0.1');
      door.admit(connection, row());
      connection.send(`PROXY TCP4 198.51.100.${last} 127.0.0.1 1 25\r\n`);
      await settled();
    }
    assert.equal(served.length, 3);
    const again = new FakeConnection('127.0.0.1');
    door.admit(again, row());
    again.send('PROXY TCP4 198.51.100.1 127.0.0.1 1 25\r\n');
    await settled();
    assert.match(again.said, /^421/);
  });

  test('TLS from the start begins with what came behind the header', async () => {
    const { door, served } = setUp({ proxies });
    const good = shaken('127.0.0.1');
    door.admit(good, IMAPS);
    good.send(`${LINE}ClientHello`);
    await settled();
    assert.equal(good.said, '[tls after ClientHello]');
    assert.equal(served.length, 1);
    assert.equal(served[0]?.said, '');
  });

  const WRONG: readonly (readonly [what: string, sent: string])[] = [
    ['no header', 'EHLO x\r\n'],
    ['an endless header', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['a name for an address', 'PROXY TCP4 evil.example 127.0.0.1 1 25\r\n'],
  ];
  for (const [what, sent] of WRONG) {
    test(`${what}: closed without a word`, async () => {
      const { door, served, log } = setUp({ proxies });
      const connection = new FakeConnection('127.0.0.1');
      door.admit(connection, row());
      connection.send(sent);
      await settled();
      assert.equal(connection.said, '[destroy]');
      assert.equal(served.length, 0);
      assert.equal(log[0]?.name, 'proxy-header');
      assert.equal(door.open, 0);
    });
  }

  test('silence has its time', async () => {
    const { door, clock } = setUp({ proxies });
    const connection = new FakeConnection('127.0.0.1');
    door.admit(connection, row());
    clock.pass(4_999);
    await settled();
    assert.equal(connection.said, '');
    clock.pass(1);
    await settled();
    assert.equal(connection.said, '[destroy]');
  });

  test('anyone else who sends such a header is not believed', async () => {
    const { door, served } = setUp({ proxies });
    const connection = new FakeConnection('192.0.2.9');
    door.admit(connection, row());
    connection.send(LINE);
    await settled();
    assert.equal(served[0]?.connection.remote.address, '192.0.2.9');
    assert.equal(served[0]?.said, LINE);
  });
});

describe('stop', () => {
  test('tells every session, waits for the last one', async () => {
    const { door, served } = setUp();
    door.admit(new FakeConnection('192.0.2.1'), row());
    door.admit(new FakeConnection('192.0.2.2'), row());
    let over = false;
    const stopped = door.stop(10_000).then(() => (over = true));
    assert.deepEqual(
      served.map(({ said }) => said),
      ['[stop]', '[stop]'],
    );
    served[0]?.close();
    await settled();
    assert.equal(over, false);
    served[1]?.close();
    await stopped;
    const late = new FakeConnection();
    door.admit(late, row());
    assert.equal(late.said, '[destroy]');
  });

  test('ends what does not end by itself', async () => {
    const { door, served, clock } = setUp();
    door.admit(new FakeConnection(), row());
    const stopped = door.stop(10_000);
    clock.pass(10_000);
    await stopped;
    assert.equal(served[0]?.said, '[stop][destroyed]');
    assert.equal(door.open, 0);
  });

  test('a handshake that goes on is ended at once; nothing open: no wait', async () => {
    const { door } = setUp();
    const shaking = new FakeConnection();
    door.admit(shaking, IMAPS);
    void door.stop(10_000);
    assert.equal(shaking.said, '[tls][destroy]');
    await setUp().door.stop(10_000);
  });
});

test('a bug while a session starts ends that connection alone', () => {
  const { door, log } = setUp({
    accept: {
      smtp: () => {
        throw new TypeError('bug');
      },
    },
  });
  const connection = new FakeConnection();
  door.admit(connection, row());
  assert.equal(connection.said, '[destroy]');
  assert.equal(log[0]?.name, 'accept-bug');
  assert.equal(door.open, 0);
});
