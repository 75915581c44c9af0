/** TLS on a Connection, both sides over the real loopback: verdicts, names, injected octets. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as netConnect } from 'node:net';
import { Failure } from '#base/failure.ts';
import type { Connection, Endpoint, Listener, Receiver, TlsOptions } from '#base/world.ts';
import { testAuthority, testCertificate } from '#test/world/certificates.ts';
import { tcpNetwork } from '../tcp.ts';
import { Certificates } from './identity.ts';

const network = tcpNetwork({ lingerMs: 200 });
const authority = testAuthority();
const listeners: Listener[] = [];
const nowMs = Date.now();

after(async () => {
  for (const listener of listeners) await listener.close();
});

function identity(...names: readonly (readonly string[])[]): Certificates {
  const pairs = names.map((list) => ({
    ...testCertificate({ names: list, issuer: authority }),
    source: 'test',
  }));
  return new Certificates(pairs, { nowMs });
}

const ours = identity(['mx.test', '127.0.0.1'], ['*.other.test']);
const asServer: TlsOptions = { side: 'server', identity: ours, handshakeMs: 1_000 };

function asClient(serverName: string, more: Partial<TlsOptions & { side: 'client' }> = {}) {
  const base = { side: 'client', verify: 'require', handshakeMs: 1_000, serverName } as const;
  return { ...base, authorities: authority.certificate, ...more };
}

const deaf: Receiver = {
  received: () => {},
  drained: () => {},
  ended: () => {},
  closed: () => {},
};

async function listen(accept: (connection: Connection) => void): Promise<Endpoint> {
  const where = { host: '127.0.0.1', port: 0, maxConnections: 9 };
  const listener = await network.listen(where, accept);
  listeners.push(listener);
  return listener.local;
}

async function pair(): Promise<{ client: Connection; server: Connection }> {
  const arrived = Promise.withResolvers<Connection>();
  const local = await listen(arrived.resolve);
  const client = await network.connect({ ...local, timeoutMs: 1_000 });
  return { client, server: await arrived.promise };
}

function collect(connection: Connection): { next(octets: number): Promise<string> } {
  let text = '';
  let wake: (() => void) | undefined;
  const receiver: Receiver = {
    received: (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
      wake?.();
    },
    drained: () => {},
    ended: () => wake?.(),
    closed: () => wake?.(),
  };
  connection.open(receiver);
  return {
    async next(octets) {
      while (text.length < octets) await new Promise<void>((resolve) => (wake = resolve));
      const out = text;
      text = '';
      return out;
    },
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

describe('tls', () => {
  test('after STARTTLS in a running dialogue both ends agree on the channel', async () => {
    const { client, server } = await pair();
    const atClient = collect(client);
    const atServer = collect(server);
    client.write(Buffer.from('STARTTLS'));
    assert.equal(await atServer.next(8), 'STARTTLS');
    server.write(Buffer.from('220 go'));
    const serverSide = server.startTls(asServer);
    assert.equal(await atClient.next(6), '220 go');
    const mine = (await client.startTls(asClient('mx.test'))).facts;
    const theirs = (await serverSide).facts;
    assert.equal(mine.protocol, 'TLSv1.3');
    assert.deepEqual(mine.peer, { kind: 'verified', subject: 'CN=mx.test' });
    assert.deepEqual(theirs.peer, { kind: 'not-asked' });
    assert.equal(theirs.serverName, 'mx.test');
    assert.equal(mine.channelBinding.exporter?.length, 32);
    assert.deepEqual(mine.channelBinding.exporter, theirs.channelBinding.exporter);
    assert.equal(mine.channelBinding.serverEndPoint?.length, 32);
    assert.deepEqual(mine.channelBinding.serverEndPoint, theirs.channelBinding.serverEndPoint);
    assert.equal(client.secure?.facts, mine);
    client.write(Buffer.from('inside'));
    assert.equal(await atServer.next(6), 'inside');
    server.write(Buffer.from('answer'));
    assert.equal(await atClient.next(6), 'answer');
    server.end();
    client.end();
  });

  test('a peer that parted hears the end from TLS itself', async () => {
    const secured = Promise.withResolvers<Connection>();
    const local = await listen((connection) => {
      void connection.startTls(asServer).then(() => secured.resolve(connection));
    });
    let bytes = 0;
    const relay = createServer((near) => {
      const far = netConnect({ ...local, host: local.address });
      far.on('data', (octets) => (bytes += octets.length));
      far.pipe(near).pipe(far);
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { port } = relay.address() as AddressInfo;
    const socket = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const server = await secured.promise;
    collect(server);
    server.write(Buffer.from('bye'));
    await once(socket, 'data');
    const before = bytes;
    server.end(true);
    await once(socket, 'end');
    // An alert is two octets; sealed in a record of TLS 1.3 there are 24 (RFC 8446 5.2, 6.1).
    assert.equal(bytes - before, 24);
    relay.close();
  });

  test('implicit TLS: at accept, before open', async () => {
    const secured = Promise.withResolvers<Connection>();
    const local = await listen((connection) => {
      void connection.startTls(asServer).then(() => secured.resolve(connection));
    });
    const socket = tlsConnect({ ...local, host: local.address, rejectUnauthorized: false });
    socket.on('error', () => {});
    socket.write('hello');
    const server = await secured.promise;
    assert.equal(await collect(server).next(5), 'hello');
    server.destroy();
  });

  test('behind a PROXY header: the beginning of the handshake was read already', async () => {
    const secured = Promise.withResolvers<Connection>();
    const local = await listen((connection) => {
      const pieces: Uint8Array[] = [];
      connection.open({
        ...deaf,
        received: (bytes) => {
          pieces.push(bytes);
          const all = Buffer.concat(pieces);
          // Half a hello is read here, the rest stays in the kernel.
          if (all.length < 60) return;
          const received = all.subarray(all.indexOf('\n') + 1);
          void connection
            .startTls({ ...asServer, received })
            .then(() => secured.resolve(connection));
        },
      });
    });
    const socket = netConnect(local.port, local.address);
    socket.write('PROXY UNKNOWN\r\n');
    const tls = tlsConnect({ socket, rejectUnauthorized: false, servername: 'mx.test' });
    tls.on('error', () => {});
    tls.write('hello');
    const server = await secured.promise;
    assert.equal(server.secure?.facts.serverName, 'mx.test');
    assert.equal(await collect(server).next(5), 'hello');
    server.destroy();
  });

  test('who was told to wait before the handshake is told to go on after it', async () => {
    const { client, server } = await pair();
    let drained = 0;
    server.open({ ...deaf, drained: () => (drained += 1) });
    const atClient = collect(client);
    let queued = 0;
    for (let more = true; more; queued += 65_536) more = server.write(Buffer.alloc(65_536));
    const accepted = server.startTls(asServer);
    await atClient.next(queued);
    await client.startTls(asClient('mx.test'));
    await accepted;
    assert.equal(drained, 1);
    client.destroy();
    server.destroy();
  });

  test('ended or destroyed during the handshake: it fails, and closed is told', async () => {
    for (const how of ['end', 'destroy'] as const) {
      const { client, server } = await pair();
      const closed = Promise.withResolvers<void>();
      server.open({ ...deaf, closed: () => closed.resolve() });
      const code = codeOf(server.startTls(asServer));
      await new Promise((resolve) => setTimeout(resolve, 2));
      server[how]();
      assert.notEqual(await code, 'no failure');
      await closed.promise;
      client.destroy();
    }
  });

  test('large octets in both directions survive back-pressure', async () => {
    const { client, server } = await pair();
    await Promise.all([server.startTls(asServer), client.startTls(asClient('mx.test'))]);
    const atServer = collect(server);
    client.open(deaf);
    for (let sent = 0; sent < 2_000_000; sent += 100_000) client.write(Buffer.alloc(100_000));
    assert.equal((await atServer.next(2_000_000)).length, 2_000_000);
    client.destroy();
    server.destroy();
  });

  test('the certificate is chosen by name; unknown names get the default one', async () => {
    const table: readonly [string, string | undefined][] = [
      ['a.other.test', 'a.other.test'],
      ['A.OTHER.TEST', 'A.OTHER.TEST'],
      ['mx.test', 'mx.test'],
      ['127.0.0.1', '127.0.0.1'],
      ['a.b.other.test', undefined],
      ['unknown.test', undefined],
    ];
    for (const [name, works] of table) {
      const { client, server } = await pair();
      const accepted = server.startTls(asServer).catch(() => undefined);
      const code = await codeOf(client.startTls(asClient(name)));
      assert.equal(code, works === undefined ? 'tls-unverified' : 'no failure', name);
      await accepted;
      client.destroy();
      server.destroy();
    }
  });

  test('the verdict table of a client', async () => {
    const expired = testCertificate({
      names: ['mx.test'],
      issuer: authority,
      notAfter: new Date(nowMs - 1_000),
    });
    const early = new Certificates([{ ...expired, source: 'x' }], { nowMs: nowMs - 60_000 });
    const self = testCertificate({ names: ['mx.test'] });
    const selfSigned = new Certificates([{ ...self, source: 'x' }], { nowMs });
    const table: readonly [Certificates, string, string][] = [
      [early, 'mx.test', 'CERT_HAS_EXPIRED'],
      [selfSigned, 'mx.test', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      [ours, 'wrong.test', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ];
    for (const [identity, name, reason] of table) {
      for (const verify of ['require', 'opportunistic'] as const) {
        const { client, server } = await pair();
        const accepted = server.startTls({ ...asServer, identity }).catch(() => undefined);
        const work = client.startTls(asClient(name, { verify }));
        if (verify === 'require') {
          assert.equal(await codeOf(work), 'tls-unverified');
        } else {
          assert.deepEqual((await work).facts.peer, { kind: 'unverified', reason });
        }
        await accepted;
        client.destroy();
        server.destroy();
      }
    }
  });

  test('octets sent in clear after STARTTLS are dropped, never read as if inside', async () => {
    const { client, server } = await pair();
    const atServer = collect(server);
    client.write(Buffer.from('STARTTLS\r\n'));
    await atServer.next(10);
    server.pause();
    client.write(Buffer.from('RSET\r\nMAIL FROM:<a@b>\r\n'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const accepted = server.startTls(asServer);
    await client.startTls(asClient('mx.test'));
    await accepted;
    server.resume();
    client.write(Buffer.from('inside'));
    assert.equal(await atServer.next(6), 'inside');
    client.destroy();
    server.destroy();
  });

  test('silence, garbage and old versions fail with words', async () => {
    const silent = await pair();
    const timeout = codeOf(silent.server.startTls({ ...asServer, handshakeMs: 20 }));
    assert.equal(await timeout, 'timeout');
    silent.client.destroy();

    const garbage = await pair();
    garbage.client.write(Buffer.from('EHLO me\r\n'));
    assert.equal(await codeOf(garbage.server.startTls(asServer)), 'tls-handshake');
    garbage.client.destroy();

    const plain = await pair();
    plain.server.write(Buffer.from('250-not TLS at all\r\n'));
    assert.equal(await codeOf(plain.client.startTls(asClient('mx.test'))), 'tls-handshake');
    plain.server.destroy();

    const gone = await pair();
    gone.server.destroy();
    assert.equal(await codeOf(gone.client.startTls(asClient('mx.test'))), 'tls-handshake');

    const arrived = Promise.withResolvers<Connection>();
    const local = await listen(arrived.resolve);
    const old = tlsConnect({
      socket: netConnect(local.port, local.address),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    });
    old.on('error', () => {});
    assert.equal(await codeOf((await arrived.promise).startTls(asServer)), 'tls-handshake');
    old.destroy();
  });

  test('a session is not resumed by a ticket', async () => {
    const sessions: Buffer[] = [];
    const reused: boolean[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const local = await listen((connection) => {
        void connection.startTls(asServer).then(() => connection.write(Buffer.from('x')));
      });
      const socket = tlsConnect({
        port: local.port,
        host: local.address,
        rejectUnauthorized: false,
        maxVersion: 'TLSv1.2',
        session: sessions[0],
      });
      socket.on('error', () => {});
      socket.on('session', (session) => sessions.push(session));
      await new Promise((resolve) => socket.once('data', resolve));
      reused.push(socket.isSessionReused());
      socket.destroy();
    }
    assert.deepEqual(reused, [false, false]);
  });
});
