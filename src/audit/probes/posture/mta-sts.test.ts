/** The MTA-STS policy as the probe fetches it: over TLS, with every answer that is no policy. */

import assert from 'node:assert/strict';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import type { Connection, Network, Resolver } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { testCertificate } from '#test/world/certificates.ts';
import { mockResolver } from '#test/world/audit.ts';
import { noteShown } from '#test/world/shown.ts';
import type { Outcome } from '../../finding.ts';
import type { DomainContext } from '../../probe.ts';
import { mtaSts } from './mta-sts.ts';

const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n${body}`;
const policy = (mode: string, mx: string, age = 604_800): string =>
  ok(`version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: ${age}\r\n`);

suite('MTA-STS policy', () => {
  const cases: readonly (readonly [what: string, answer: string, found: readonly string[]])[] = [
    ['good', policy('enforce', 'mx.d.test'), []],
    ['testing', policy('testing', 'mx.d.test'), ['posture.mta-sts-testing']],
    ['another host', policy('enforce', 'mx.other.test'), ['posture.mta-sts-mx']],
    ['forgotten soon', policy('enforce', '*.d.test', 60), ['posture.mta-sts-short']],
    ['no policy', ok('hello'), ['posture.mta-sts-policy']],
    [
      'a redirect',
      'HTTP/1.1 301 Moved\r\nLocation: https://x/\r\n\r\n',
      ['posture.mta-sts-unreachable'],
    ],
    ['not HTTP', '220 hello\r\n', ['posture.mta-sts-unreachable']],
    ['nothing', '', ['posture.mta-sts-unreachable']],
    ['far too much', ok('x'.repeat(1_000_000)), ['posture.mta-sts-policy']],
  ];
  for (const [what, answer, expected] of cases) {
    test(what, async () => assert.deepEqual(await found(answer, true), expected));
  }

  test('a certificate that nobody signed is no policy', async () => {
    assert.deepEqual(await found(policy('enforce', 'mx.d.test'), false), [
      'posture.mta-sts-unreachable',
    ]);
  });
});

/** The ids that were confirmed. */
async function found(answer: string, trusted: boolean): Promise<readonly string[]> {
  const identity = testCertificate({ names: ['mta-sts.d.test'] });
  const server = createServer(
    { cert: identity.certificate, key: identity.key },
    (socket) => void socket.on('error', () => undefined).end(answer),
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const all: Outcome[] = [];
  try {
    await mtaSts.run({
      domain: 'd.test',
      resolver: zone(),
      world: { clock: systemClock, network: networkTo(port, trusted ? identity.certificate : '') },
      options: { replyMs: 2_000 },
      tell: (outcome: Outcome) => void all.push(outcome),
    } as unknown as DomainContext);
  } finally {
    server.close();
  }
  noteShown(all.map((one) => ({ ...one, id: one.check.id })));
  return all.filter(({ confidence }) => confidence === 'confirmed').map(({ check }) => check.id);
}

function zone(): Resolver {
  return mockResolver({
    txt: () => hit('v=STSv1; id=1'),
    a: () => hit('127.0.0.1'),
    mx: () => hit({ preference: 1, exchange: 'mx.d.test' }),
  });
}

/** The real network, with port 443 elsewhere and one authority that is trusted. */
function networkTo(port: number, authorities: string): Pick<Network, 'connect'> {
  const real = tcpNetwork();
  return {
    connect: async (options) => {
      assert.equal(options.port, 443);
      const connection = await real.connect({ ...options, port });
      return new Proxy(connection, {
        get(target, name) {
          if (name === 'startTls') {
            return (how: Parameters<Connection['startTls']>[0]) =>
              target.startTls(authorities === '' ? how : ({ ...how, authorities } as typeof how));
          }
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}

function hit<T>(...records: T[]) {
  return Promise.resolve({ kind: 'found', records, ttlSeconds: 60, authentic: false } as const);
}
