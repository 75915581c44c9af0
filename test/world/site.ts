/** A service in this process before real sockets, TLS and the SQLite store, with one account. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { AccountId, Domain } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import type { Connection } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { Certificates } from '#network/tls/identity.ts';
import { Logins } from '#policy/login/logins.ts';
import { hashPassword } from '#policy/login/password.ts';
import { openTestStore, type TestStore } from '../engine/fixture.ts';
import { testCertificate } from './certificates.ts';

/** Of alice@demo.test. */
export const PASSWORD = 'correct horse';
const COSTS = { memoryKib: 64, passes: 1, parallelism: 1 };
const HANDSHAKE_MS = 5_000;

export interface Alice {
  readonly it: TestStore;
  readonly account: AccountId;
}

/** A store with her account. */
export async function aliceStore(t: TestContext): Promise<Alice> {
  const it = await openTestStore(t);
  const credentials = await hashPassword(PASSWORD, systemRandom, { parameters: COSTS });
  await it.do('addDomain', { name: 'demo.test' as Domain });
  const { nowMs } = it.clock;
  const added = await it.do('addAccount', { address: 'alice@demo.test', credentials, nowMs });
  assert.ok(added.kind === 'added');
  return { it, account: added.account };
}

export type TestSite = ReturnType<typeof siteOf>;

/** A port of the service; the test fails at its end when the service logged an error. */
export async function listenFor(
  t: TestContext,
  { store }: TestStore,
  kind: 'implicit' | 'starttls',
  serve: (connection: Connection, site: TestSite) => unknown,
): Promise<number> {
  const errors: string[] = [];
  const site = siteOf(store, errors);
  const tls = { side: 'server', identity: site.tls, handshakeMs: HANDSHAKE_MS } as const;
  const listener = await tcpNetwork().listen(
    { host: '127.0.0.1', port: 0, maxConnections: 10 },
    (connection) => {
      const start = (): unknown => serve(connection, site);
      if (kind === 'starttls') start();
      else connection.startTls(tls).then(start, () => {});
    },
  );
  t.after(async () => {
    await listener.close();
    assert.deepEqual(errors, []);
  });
  return listener.local.port;
}

function siteOf(store: TestStore['store'], errors: string[]) {
  const pair = { ...testCertificate({ names: ['localhost'] }), source: 'test' };
  return {
    clock: systemClock,
    random: systemRandom,
    log: {
      event: (level: string, name: string, fields?: object) => {
        if (level === 'error') errors.push(`${name} ${JSON.stringify(fields)}`);
      },
    },
    metrics: { count: () => {}, gauge: () => {}, observe: () => {} },
    store,
    hostname: 'mx.demo.test' as Domain,
    tls: new Certificates([pair], { nowMs: systemClock.now() }),
    handshakeMs: HANDSHAKE_MS,
    logins: new Logins({
      directory: store.directory,
      clock: systemClock,
      random: systemRandom,
      installationKey: utf8('key of this installation'),
      parameters: COSTS,
    }),
  };
}
