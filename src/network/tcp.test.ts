/** Sockets over the real loopback: ends, back-pressure, failures, limits, TLS on both sides. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connect as netConnect } from 'node:net';
import { Failure } from '#base/failure.ts';
import type { Connection, Endpoint, Listener, Receiver } from '#base/world.ts';
import { tcpNetwork } from './tcp.ts';

const network = tcpNetwork({ lingerMs: 200, waitingConnections: 1 });
const listeners: Listener[] = [];

after(async () => {
  for (const listener of listeners) await listener.close();
});

/** Everything that a receiver was told, with waiting for a state. */
class Told implements Receiver {
  readonly pieces: Buffer[] = [];
  events: string[] = [];
  failure: Failure | undefined;
  readonly #waiting = new Set<() => void>();

  received(bytes: Uint8Array): void {
    this.pieces.push(Buffer.from(bytes));
    this.#wake();
  }
  drained(): void {
    this.events.push('drained');
    this.#wake();
  }
  ended(): void {
    this.events.push('ended');
    this.#wake();
  }
  closed(failure?: Failure): void {
    this.events.push('closed');
    this.failure = failure;
    this.#wake();
  }
  get text(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }
  async until(state: (told: Told) => boolean): Promise<void> {
    while (!state(this)) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }
  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

async function listen(
  accept: (connection: Connection) => void,
  maxConnections = 100,
): Promise<Endpoint> {
  const listener = await network.listen({ host: '127.0.0.1', port: 0, maxConnections }, accept);
  listeners.push(listener);
  return listener.local;
}

async function pair(): Promise<{ client: Connection; server: Connection }> {
  const arrived = Promise.withResolvers<Connection>();
  const local = await listen(arrived.resolve);
  const client = await network.connect({ ...local, timeoutMs: 1_000 });
  return { client, server: await arrived.promise };
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const thrown = await work.then(
    () => assert.fail('should have failed'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Failure, String(thrown));
  return thrown;
}

describe('tcp', () => {
  test('octets, half close and close reach the other side in order', async () => {
    const { client, server } = await pair();
    assert.equal(client.remote.address, '127.0.0.1');
    assert.deepEqual(server.remote, client.local);
    const atServer = new Told();
    const atClient = new Told();
    client.open(atClient);
    client.write(Buffer.from('before open'));
    server.open(atServer);
    await atServer.until((told) => told.text === 'before open');
    server.write(Buffer.from('answer'));
    server.end();
    await atClient.until((told) => told.events.includes('ended'));
    assert.equal(atClient.text, 'answer');
    client.end();
    await atServer.until((told) => told.events.includes('closed'));
    await atClient.until((told) => told.events.includes('closed'));
    assert.deepEqual(atServer.events, ['closed']);
    assert.equal(atServer.failure, undefined);
  });

  test('where every address is listened on, each connection says which one it came to', async () => {
    const arrived = Promise.withResolvers<Connection>();
    const listener = await network.listen(
      { host: '0.0.0.0', port: 0, maxConnections: 1 },
      arrived.resolve,
    );
    listeners.push(listener);
    const { port } = listener.local;
    const client = await network.connect({ address: '127.0.0.2', port, timeoutMs: 1_000 });
    const server = await arrived.promise;
    assert.deepEqual(server.local, { address: '127.0.0.2', port });
    assert.deepEqual(server.remote, client.local);
    client.destroy();
    server.destroy();
  });

  test('the peer that ends first is still answered', async () => {
    const { client, server } = await pair();
    const atServer = new Told();
    const atClient = new Told();
    server.open(atServer);
    client.open(atClient);
    client.end();
    await atServer.until((told) => told.events.includes('ended'));
    server.write(Buffer.from('late'));
    server.end();
    await atServer.until((told) => told.events.includes('closed'));
    assert.deepEqual(atServer.events, ['ended', 'closed']);
  });

  test('a peer that never reads: write says wait, and drained comes when it reads', async () => {
    const { client, server } = await pair();
    const atServer = new Told();
    const atClient = new Told();
    server.open(atServer);
    let queued = 0;
    while (server.write(Buffer.alloc(65_536))) queued += 65_536;
    assert.ok(queued < 64 * 1024 * 1024);
    client.open(atClient);
    await atServer.until((told) => told.events.includes('drained'));
    client.destroy();
    server.destroy();
    await atServer.until((told) => told.events.includes('closed'));
  });

  test('end with a peer that never reads is cut off after the linger time', async () => {
    const { client, server } = await pair();
    const atServer = new Told();
    server.open(atServer);
    while (server.write(Buffer.alloc(65_536)));
    server.end();
    assert.equal(server.write(Buffer.from('after end')), true);
    await atServer.until((told) => told.events.includes('closed'));
    client.destroy();
  });

  test('a peer that parted is not waited for, and gets what was sent before', async () => {
    const { client, server } = await pair();
    const atServer = new Told();
    server.open(atServer);
    server.write(Buffer.from('bye'));
    const began = performance.now();
    server.end(true);
    await atServer.until((told) => told.events.includes('closed'));
    // The client has neither read nor closed: without its goodbye this takes the linger time.
    assert.ok(performance.now() - began < 100);
    assert.equal(atServer.failure, undefined);
    const atClient = new Told();
    client.open(atClient);
    await atClient.until((told) => told.events.includes('ended'));
    assert.equal(atClient.text, 'bye');
    client.end();
  });

  test('a peer that parted with much still to come gets all of it', async () => {
    const { client, server } = await pair();
    const atServer = new Told();
    const atClient = new Told();
    server.open(atServer);
    let sent = 0;
    for (let more = true; more; sent += 65_536) more = server.write(Buffer.alloc(65_536));
    server.end(true);
    client.open(atClient);
    await atClient.until((told) => told.events.includes('ended'));
    assert.equal(Buffer.concat(atClient.pieces).length, sent);
    client.end();
    await atServer.until((told) => told.events.includes('closed'));
  });

  test('pause keeps octets back until resume; a replaced receiver gets the rest', async () => {
    const { client, server } = await pair();
    const first = new Told();
    const second = new Told();
    server.open(first);
    client.write(Buffer.from('one'));
    await first.until((told) => told.text === 'one');
    server.pause();
    client.write(Buffer.from('two'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(first.text, 'one');
    server.open(second);
    server.resume();
    await second.until((told) => told.text === 'two');
    client.destroy();
    server.destroy();
  });

  test('a reset is a failure told once', async () => {
    const arrived = Promise.withResolvers<Connection>();
    const local = await listen(arrived.resolve);
    const socket = netConnect(local.port, local.address);
    const server = await arrived.promise;
    const told = new Told();
    server.open(told);
    socket.resetAndDestroy();
    await told.until(({ events }) => events.includes('closed'));
    assert.equal(told.failure?.code, 'connection-reset');
    assert.deepEqual(told.events, ['closed']);
  });

  test('opening what is already closed tells closed', async () => {
    const { client, server } = await pair();
    client.destroy();
    server.destroy();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const told = new Told();
    server.open(told);
    await told.until(({ events }) => events.includes('closed'));
  });

  test('beyond the limit connections wait, beyond the line they are closed', async () => {
    const accepted: Connection[] = [];
    const local = await listen((connection) => accepted.push(connection), 1);
    const where = { ...local, timeoutMs: 1_000 };
    const first = await network.connect(where);
    const second = await network.connect(where);
    const third = await network.connect(where);
    const told = new Told();
    third.open(told);
    await told.until(({ events }) => events.length > 0);
    assert.equal(accepted.length, 1);
    accepted[0]!.destroy();
    while (accepted.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual(accepted[1]!.remote, second.local);
    for (const connection of [first, second, third, ...accepted]) connection.destroy();
  });
});

describe('failures of listen and connect', () => {
  test('a port in use, an address that is not ours', async () => {
    const local = await listen(() => {});
    const where = { host: local.address, port: local.port, maxConnections: 1 };
    const busy = await failureOf(network.listen(where, () => {}));
    assert.equal(busy.code, 'port-in-use');
    const foreign = { host: '192.0.2.1', port: 0, maxConnections: 1 };
    assert.equal((await failureOf(network.listen(foreign, () => {}))).code, 'no-such-address');
  });

  test('refused, and never a name to look up', async () => {
    const listener = await network.listen(
      { host: '127.0.0.1', port: 0, maxConnections: 1 },
      () => {},
    );
    await listener.close();
    const refused = await failureOf(network.connect({ ...listener.local, timeoutMs: 1_000 }));
    assert.deepEqual([refused.kind, refused.code], ['temporary', 'connection-refused']);
    const name = { address: 'localhost', port: 1, timeoutMs: 1_000 };
    assert.equal((await failureOf(network.connect(name))).code, 'unreachable');
  });
});
