/** Mail on its way out over real DNS and sockets: routes, next hosts, TLS, kept connections. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Secret } from '#base/secret.ts';
import { testAuthority, testCertificate } from '#test/world/certificates.ts';
import { brief, job, TransferWorld } from '#test/world/transfer-world.ts';
import type { RecipientResult } from './job.ts';

const authority = testAuthority();
const certificate = testCertificate({ names: ['mx.test'], issuer: authority });
let world: TransferWorld;

before(async () => {
  world = await TransferWorld.start();
});
after(() => world.close());

function undelivered(result: RecipientResult | undefined) {
  assert.ok(result !== undefined && result.kind !== 'delivered');
  return result;
}

describe('next hosts', () => {
  test('by preference, the next one when a host does not do', async () => {
    const down = {
      hook: (said: string) => (said === 'CONNECT' ? '421 4.3.2 busy\r\n' : undefined),
    };
    const gone = { hook: () => ({ end: 'reset' as const }) };
    const [first, second, third, fourth] = await world.sinks(down, gone, {}, {});
    world.zone({
      'there.test': {
        mx: [
          [30, 'd.test'],
          [10, 'b.test'],
          [5, 'a.test'],
          [20, 'c.test'],
        ],
      },
      'a.test': { a: ['127.0.0.1', '127.0.0.9'] },
      'b.test': { a: ['127.0.0.2'] },
      'c.test': { a: ['127.0.0.3'], aaaa: ['::1'] },
      'd.test': { a: ['127.0.0.4'] },
    });
    const { port } = first!;
    const out = await world.transfer({ port }).send(job(['x@there.test', 'y@there.test']));
    assert.deepEqual(brief(out.recipients), ['delivered', 'delivered']);
    const [one] = out.recipients;
    assert.equal(one?.kind === 'delivered' && one.host, `c.test [127.0.0.3]:${port}`);
    assert.equal(one?.kind === 'delivered' && one.dsnPassedOn, true);
    assert.equal(third?.messages[0]?.recipients.length, 2);
    assert.deepEqual([second?.sessions.length, fourth?.sessions.length], [1, 0]);
    const hosts = out.facts['hosts'] as { host: string }[];
    assert.equal(hosts.length, 4, JSON.stringify(hosts));
    const [mx] = out.facts['dns'] as { question: string; ttl: number; authentic: boolean }[];
    assert.deepEqual([mx?.question, mx?.ttl, mx?.authentic], ['MX there.test', 300, false]);
  });

  test('a permanent answer to the transaction ends it, a greeting does not', async () => {
    world.zone({
      'there.test': {
        mx: [
          [1, 'a.test'],
          [2, 'b.test'],
        ],
      },
      'a.test': { a: ['127.0.0.1'] },
      'b.test': { a: ['127.0.0.2'] },
    });
    for (const [command, expected, sessions] of [
      ['CONNECT', 'delivered', 1],
      ['EHLO', 'delivered', 1],
      ['MAIL', 'failed 5.7.1', 0],
      ['RCPT', 'failed 5.7.1', 0],
      ['EOD', 'failed 5.7.1', 0],
    ] as const) {
      const hook = no(command);
      const both = command === 'EHLO' ? (said: string) => hook(said.replace('HELO', 'EHLO')) : hook;
      const [first, second] = await world.sinks({ hook: both }, {});
      const out = await world.transfer({ port: first!.port }).send(job(['x@there.test']));
      assert.deepEqual(brief(out.recipients), [expected], command);
      assert.equal(second?.sessions.length, sessions, command);
    }
    const [first] = await world.sinks({ hook: no('CONNECT') }, { hook: no('CONNECT') });
    const out = await world.transfer({ port: first!.port }).send(job(['x@there.test']));
    assert.deepEqual(brief(out.recipients), ['failed 5.7.1']);
    assert.equal(undelivered(out.recipients[0]).reply?.code, 550);
  });

  test('greylisting does not go round the hosts; a lost final answer neither', async () => {
    for (const hook of [grey, lost]) {
      const [first, second] = await world.sinks({ hook }, {});
      const out = await world.transfer({ port: first!.port }).send(job(['x@there.test']));
      const result = undelivered(out.recipients[0]);
      assert.equal(result.kind, 'deferred');
      assert.equal(second?.sessions.length, 0);
      if (hook === lost) assert.match(result.reason, /RFC 1047/);
      else assert.deepEqual(result.reply?.lines, ['later']);
    }
  });

  test('when no host does, the last word that leaves hope', async () => {
    const closed = await world.sink();
    await closed.close();
    const out = await world.transfer({ port: closed.port }).send(job(['x@there.test']));
    const result = undelivered(out.recipients[0]);
    assert.deepEqual(brief(out.recipients), ['deferred 4.4.1']);
    assert.match(result.reason, /refused the connection/);
    assert.match(result.host ?? '', /b\.test \[127\.0\.0\.2\]/);
  });

  test('equal preferences take turns', async () => {
    const [first, second] = await world.sinks({}, {});
    world.zone({
      'there.test': {
        mx: [
          [1, 'a.test'],
          [1, 'b.test'],
        ],
      },
      'a.test': { a: ['127.0.0.1'] },
      'b.test': { a: ['127.0.0.2'] },
    });
    const way = world.transfer({ port: first!.port, keepIdleMs: 0 });
    for (let turn = 0; turn < 40; turn += 1) await way.send(job(['x@there.test']));
    const counts = [first!.messages.length, second!.messages.length];
    assert.ok(Math.min(...counts) >= 5, String(counts));
    assert.equal(counts[0]! + counts[1]!, 40);
  });

  test('mixed answers: each recipient has its own', async () => {
    const sink = await world.sink({
      hook: (said) => {
        if (said.includes('no@')) return '550 5.1.1 no such user\r\n';
        return said.includes('later@') ? '450 4.2.1 later\r\n' : undefined;
      },
    });
    world.zone({ 'there.test': { a: ['127.0.0.1'] } });
    const names = ['yes@there.test', 'no@there.test', 'later@there.test'];
    const out = await world.transfer({ port: sink.port }).send(job(names));
    assert.deepEqual(brief(out.recipients), ['delivered', 'failed 5.1.1', 'deferred 4.2.1']);
  });

  test('too many recipients for one transaction: several, at once, over one connection', async () => {
    let accepted = 0;
    const hook = (said: string) => {
      if (said.startsWith('MAIL')) accepted = 0;
      if (!said.startsWith('RCPT')) return undefined;
      accepted += 1;
      return accepted > 7 ? '452 4.5.3 too many\r\n' : undefined;
    };
    const names = Array.from({ length: 50 }, (_, index) => `r${index}@there.test`);
    const strict = await world.sink({ hook });
    const limits = await world.sink({ capabilities: ['LIMITS RCPTMAX=7 MAILMAX=5'] });
    for (const sink of [strict, limits]) {
      const out = await world.transfer({ port: sink.port }).send(job(names));
      assert.deepEqual(new Set(brief(out.recipients)), new Set(['delivered']));
      const seen = sink.messages.flatMap(({ recipients }) => recipients);
      assert.equal(sink.sessions.length, 1);
      if (sink === limits) assert.equal(sink.messages.length, 8);
      assert.ok(seen.length >= 50);
    }
  });
});

describe('tls', () => {
  test('opportunistic: used when offered, verified as a fact', async () => {
    const sink = await world.sink({ tls: certificate });
    world.zone({
      'there.test': { mx: [[1, 'mx.test']] },
      'other.test': { mx: [[1, 'wrong.test']] },
      'mx.test': { a: ['127.0.0.1'] },
      'wrong.test': { a: ['127.0.0.1'] },
    });
    const authorities = authority.certificate;
    const way = world.transfer({ port: sink.port, authorities });
    for (const [domain, fact] of [
      ['there.test', 'verified'],
      ['other.test', 'unverified: ERR_TLS_CERT_ALTNAME_INVALID'],
    ]) {
      const out = await way.send(job([`x@${domain}`]));
      assert.deepEqual(brief(out.recipients), ['delivered']);
      const [host] = out.facts['hosts'] as { tls: { certificate: string } }[];
      assert.equal(host?.tls.certificate, fact);
    }
    assert.ok(sink.messages.every(({ tls }) => tls));
  });

  test('a handshake that fails: again in clear, on a new connection, and the ledger knows', async () => {
    const sink = await world.sink({ tls: certificate, hook: closing });
    const out = await world.transfer({ port: sink.port }).send(job(['x@there.test']));
    assert.deepEqual(brief(out.recipients), ['delivered']);
    assert.equal(sink.sessions.length, 2);
    assert.equal(sink.messages[0]?.tls, false);
    assert.match(JSON.stringify(out.facts), /tls-handshake.*tried again in clear/);
  });

  test('when TLS is a must, hosts without it are passed over, whatever their names', async () => {
    const [, second] = await world.sinks({}, { tls: certificate });
    const { port } = second!;
    const { zone } = world.dns;
    zone.set('must.test', {
      mx: [
        [1, 'plain.test'],
        [2, 'other.test'],
      ],
    });
    zone.set('plain.test', { a: ['127.0.0.1'] });
    zone.set('other.test', { a: ['127.0.0.2'] });
    const way = world.transfer({ port, security: { level: 'encrypt' } });
    assert.deepEqual(brief((await way.send(job(['x@must.test']))).recipients), ['delivered']);
    assert.equal(second?.messages[0]?.tls, true);
    assert.deepEqual(brief((await way.send(job(['x@plain.test']))).recipients), [
      'deferred 4.7.10',
    ]);
  });

  test('a no to STARTTLS says nothing about the message', async () => {
    const sink = await world.sink({ tls: certificate, hook: never });
    const out = await world.transfer({ port: sink.port }).send(job(['x@there.test']));
    assert.deepEqual(brief(out.recipients), ['delivered']);
    assert.match(JSON.stringify(out.facts), /"startTlsRefused":"554 5.7.0 never"/);
  });

  test('octets injected behind the answer to STARTTLS end it', async () => {
    const sink = await world.sink({ tls: certificate, hook: injecting });
    const out = await world.transfer({ port: sink.port }).send(job(['x@there.test']));
    assert.deepEqual(brief(out.recipients), ['deferred 4.4.2']);
    assert.equal(sink.sessions.length, 1);
  });

  test('a connection that is good for one domain is not good for another by that', async () => {
    const issuer = { issuer: authority };
    const sink = await world.sink({
      tls: testCertificate({ names: ['mx.hub.test', 'hub.test'], ...issuer }),
    });
    const mx = { mx: [[1, 'mx.hub.test']] as const };
    world.zone({ 'hub.test': mx, 'too.test': mx, 'mx.hub.test': { a: ['127.0.0.1'] } });
    const security = { level: 'secure' } as const;
    const options = { port: sink.port, security, authorities: authority.certificate };
    const way = world.transfer(options);
    // Whoever makes too.test's MX point to a host of his own must not get its mail.
    for (const [domain, wanted] of [
      ['too.test', 'deferred 4.7.5'],
      ['hub.test', 'delivered'],
      ['too.test', 'deferred 4.7.5'],
      ['hub.test', 'delivered'],
    ] as const) {
      const { recipients } = await way.send(job([`x@${domain}`]));
      assert.deepEqual(brief(recipients), [wanted], domain);
    }
    assert.equal(sink.messages.length, 2);
  });
});

describe('relay host', () => {
  test('without MX, with TLS and login', async () => {
    const sink = await world.sink({ tls: certificate, login: 'user\0pass' });
    world.zone({ 'mx.test': { a: ['127.0.0.1'] } });
    const relayhost = { host: 'mx.test', port: sink.port, mx: false, credentials };
    const options = { relayhost, authorities: authority.certificate, permitLoopback: false };
    const out = await world.transfer(options).send(job(['x@anywhere.test']));
    assert.deepEqual(brief(out.recipients), ['delivered']);
    assert.equal(sink.messages[0]?.tls, true);
    assert.ok(sink.sessions[0]?.commands.some((command) => command.startsWith('AUTH PLAIN ')));
    assert.ok(!JSON.stringify(out).includes('pass'));
  });

  test('a wrong password, no TLS, a bad certificate: the message waits', async () => {
    const sink = await world.sink({ tls: certificate, login: 'user\0other' });
    const plain = await world.sink({ login: 'user\0pass' });
    const authorities = authority.certificate;
    const table = [
      [{ ...hop(sink.port, {}), authorities }, 'deferred 4.7.8'],
      [{ ...hop(plain.port, {}), authorities }, 'deferred 4.7.10'],
      [hop(sink.port, {}), 'deferred 4.7.5'],
      [{ ...hop(plain.port, { tls: 'implicit' }), authorities }, 'deferred 4.7.5'],
    ] as const;
    for (const [options, expected] of table) {
      const out = await world.transfer(options as object).send(job(['x@anywhere.test']));
      assert.deepEqual(brief(out.recipients), [expected]);
    }
    assert.equal(sink.messages.length + plain.messages.length, 0);
  });

  test('by MX, by address, for one domain; LMTP; a name that does not exist waits', async () => {
    const sink = await world.sink();
    const local = await world.sink({ lmtp: true });
    const { port } = sink;
    world.zone({ 'hub.test': { mx: [[1, 'mx.test']] }, 'mx.test': { a: ['127.0.0.1'] } });
    const routes = new Map([
      ['by-mx.test', { host: 'hub.test', port, mx: true }],
      ['by-address.test', { host: '127.0.0.1', port, mx: false }],
      ['lmtp.test', { host: '127.0.0.1', port: local.port, mx: false, lmtp: true }],
      ['lost.test', { host: 'nowhere.test', port, mx: false }],
      ['lost-mx.test', { host: 'nowhere.test', port, mx: true }],
    ]);
    const way = world.transfer({ routes });
    const results = [];
    for (const name of routes.keys())
      results.push(...(await way.send(job([`x@${name}`]))).recipients);
    const waits = 'deferred 4.4.4';
    assert.deepEqual(brief(results), ['delivered', 'delivered', 'delivered', waits, waits]);
    assert.equal(local.sessions[0]?.commands[0], 'LHLO here.test');
  });
});

const no = (command: string) => (said: string) =>
  said.startsWith(command) ? '550 5.7.1 no\r\n' : undefined;

const grey = (said: string) => (said.startsWith('RCPT') ? '450 4.2.0 later\r\n' : undefined);
const lost = (said: string) => (said === 'EOD' ? { end: 'close' as const } : undefined);

const never = (said: string) => (said === 'STARTTLS' ? '554 5.7.0 never\r\n' : undefined);

const injecting = (said: string) =>
  said === 'STARTTLS' ? { raw: '220 go\r\n250 injected\r\n', end: 'silence' as const } : undefined;

const credentials = { login: 'user', password: new Secret('pass') };

const hop = (port: number, more: object) => ({
  relayhost: { host: 'mx.test', port, mx: false, credentials, ...more },
});

const closing = (said: string) =>
  said === 'STARTTLS' ? { raw: '220 go\r\n', end: 'close' as const } : undefined;
