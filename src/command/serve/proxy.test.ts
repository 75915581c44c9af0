/** PROXY headers over real sockets: in clear and under TLS, together with the header and after it. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { utf8 } from '#base/bytes.ts';
import type { Listener } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { Certificates } from '#network/tls/identity.ts';
import { makeAuthority, signServer } from './authority.ts';
import { Door } from './door.ts';
import { introduction } from './introduction.ts';
import type { ListenerRow } from './listeners.ts';

const HEADER = 'PROXY TCP4 198.51.100.7 127.0.0.1 4711 993\r\n';
const hosts = ['127.0.0.1'];
const ROWS: readonly ListenerRow[] = [
  { name: 'imap', protocol: 'imap', tls: 'starttls', hosts, port: 0, maxConnections: 10 },
  { name: 'imaps', protocol: 'imap', tls: 'implicit', hosts, port: 0, maxConnections: 10 },
];

/** Reads until `wanted` was said. */
function hears(stream: NodeJS.ReadableStream, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    stream.on('data', (bytes: Buffer) => {
      heard += bytes.toString();
      if (heard.includes(wanted)) resolve(heard);
    });
    stream.on('error', reject);
    stream.on('close', () => reject(new Error(`closed after ${heard}`)));
  });
}

describe('behind a proxy', () => {
  const listeners: Listener[] = [];
  let ca = '';

  before(async () => {
    const authority = await makeAuthority('Test authority', Date.now());
    const signed = await signServer(authority, ['a.test'], Date.now());
    ca = authority.certificate;
    const pair = { ...signed, source: 'test' };
    const network = tcpNetwork();
    const door = new Door({
      accept: {
        // Says who is there, then repeats what it hears.
        imap: (connection, _row, closed) => {
          connection.open({
            received: (bytes) => void connection.write(bytes),
            drained: () => undefined,
            ended: () => connection.end(),
            closed,
          });
          connection.write(utf8(`hello ${connection.remote.address}\n`));
          return { stop: () => connection.end(), destroy: () => connection.destroy() };
        },
      },
      tls: new Certificates([pair], { nowMs: Date.now() }),
      handshakeMs: 5_000,
      perClient: 0,
      ...introduction(
        { smtpd_upstream_proxy_hosts: hosts, smtpd_upstream_proxy_timeout: 5_000 },
        systemClock,
      ),
      clock: systemClock,
      log: { event: () => undefined },
      metrics: { count: () => undefined, gauge: () => undefined, observe: () => undefined },
    });
    for (const row of ROWS) {
      const where = { host: '127.0.0.1', port: 0, maxConnections: 10 };
      listeners.push(await network.listen(where, (connection) => door.admit(connection, row)));
    }
  });
  after(() => Promise.all(listeners.map((listener) => listener.close())));

  function dial(row: number): Socket {
    return connect(listeners[row]?.local.port ?? 0, '127.0.0.1');
  }

  for (const together of [true, false]) {
    const how = together ? 'in one piece with the header' : 'after the header';

    test(`in clear, ${how}`, async () => {
      const socket = dial(0);
      socket.write(together ? `${HEADER}abc` : HEADER);
      const heard = hears(socket, 'abc');
      if (!together) setTimeout(() => socket.write('abc'), 5);
      assert.equal(await heard, 'hello 198.51.100.7\nabc');
      socket.destroy();
    });

    test(`under TLS, ${how}`, async () => {
      const socket = dial(1);
      const [near, far] = duplexPair();
      let sent = false;
      if (!together) socket.write(HEADER);
      far.on('data', (bytes: Buffer) => {
        // The proxy's write carries its header and the client's first octets.
        socket.write(together && !sent ? Buffer.concat([Buffer.from(HEADER), bytes]) : bytes);
        sent = true;
      });
      socket.on('data', (bytes: Buffer) => far.write(bytes));
      const secure = connectTls({ socket: near, ca, servername: 'a.test' });
      const heard = hears(secure, 'abc');
      secure.write('abc');
      assert.equal(await heard, 'hello 198.51.100.7\nabc');
      assert.equal(secure.authorized, true);
      secure.destroy();
      socket.destroy();
    });
  }
});
