/** Where mail goes by DNS: MX, implicit and null MX, ourselves, loopback, no answer. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import { systemRandom } from '#network/random.ts';
import { type ZoneName, zoneResolver } from '#test/vectors/zone.ts';
import type { ZoneEntry } from '#test/world/dns-server.ts';
import { brief, job, TransferWorld } from '#test/world/transfer-world.ts';
import type { TransferOptions } from './options.ts';
import { Record as Attempt } from './record.ts';
import { type RouteOptions, routeByMx } from './route.ts';

let world: TransferWorld;
before(async () => {
  world = await TransferWorld.start();
});
after(() => world.close());

async function result(
  zone: Readonly<Record<string, ZoneEntry>>,
  address = 'x@there.test',
  more: Partial<TransferOptions> = {},
): Promise<string> {
  world.zone(zone);
  const options = { permitLoopback: false, port: 1, ...more };
  const dropped = Object.values(zone).some(({ fault }) => fault === 'drop');
  const way = world.transfer(options, undefined, dropped ? { tryMs: 30 } : {});
  const out = await way.send(job([address]));
  return brief(out.recipients)[0] ?? '';
}

/** Where mail for a host would go; nobody connects. */
async function targets(host: ZoneName, more: Partial<RouteOptions>): Promise<readonly string[]> {
  const options: RouteOptions = {
    resolver: zoneResolver({ 'there.test': host }),
    random: systemRandom,
    hostname: 'here.test',
    ownAddresses: [],
    permitLoopback: false,
    permitPrivate: false,
    port: 25,
    families: ['ipv4', 'ipv6'],
    maxHosts: 8,
    maxAddresses: 10,
    ...more,
  };
  const routing = await routeByMx('there.test' as Domain, options, new Attempt());
  return routing.kind === 'targets' ? routing.targets.map(({ address }) => address).toSorted() : [];
}

test('each answer of the DNS has its result', async () => {
  const here = { a: ['192.0.2.25'] };
  const own = { ownAddresses: ['192.0.2.25', '2001:db8::25'] };
  const table: readonly [string, Record<string, ZoneEntry>, string, Partial<TransferOptions>?][] = [
    ['no such domain', {}, 'failed 5.1.2'],
    ['null MX', { 'there.test': { mx: [[0, '.']], a: ['192.0.2.1'] } }, 'failed 5.1.10'],
    ['no MX, no address', { 'there.test': { txt: ['x'] } }, 'failed 5.4.4'],
    ['MX without address', { 'there.test': { mx: [[1, 'gone.test']] } }, 'failed 5.4.4'],
    ['an address as MX', { 'there.test': { mx: [[1, '192.0.2.1']] } }, 'failed 5.4.4'],
    ['MX SERVFAIL', { 'there.test': { fault: 'servfail' } }, 'deferred 4.4.3'],
    ['MX dropped', { 'there.test': { fault: 'drop' } }, 'deferred 4.4.3'],
    [
      'address SERVFAIL',
      { 'there.test': { mx: [[1, 'mx.test']] }, 'mx.test': { fault: 'servfail' } },
      'deferred 4.4.3',
    ],
    ['our name', { 'there.test': { mx: [[1, 'HERE.test']] } }, 'failed 5.4.6'],
    [
      'our address',
      { 'there.test': { mx: [[1, 'mx.test']] }, 'mx.test': here },
      'failed 5.4.6',
      own,
    ],
    [
      'an alias of us',
      {
        'there.test': { mx: [[1, 'alias.test']] },
        'alias.test': { cname: 'real.test' },
        'real.test': { aaaa: ['2001:db8::25'] },
      },
      'failed 5.4.6',
      own,
    ],
    ['implicit MX is us', { 'there.test': here }, 'failed 5.4.6', own],
    ['a loop of aliases', { 'there.test': { cname: 'there.test' } }, 'deferred 4.4.3'],
  ];
  for (const [what, zone, expected, more] of table) {
    assert.equal(await result(zone, 'x@there.test', more), expected, what);
  }
});

test('loopback is never connected to, in either family, unless it is permitted', async () => {
  const sink = await world.sink();
  const { port } = sink;
  for (const entry of [
    { a: ['127.0.0.1'] },
    { a: ['127.8.8.8', '0.0.0.0'] },
    { aaaa: ['::1'] },
    { aaaa: ['::'] },
    { aaaa: ['::ffff:127.0.0.1'] },
  ]) {
    const zone = { 'there.test': { mx: [[1, 'mx.test']] as const }, 'mx.test': entry };
    assert.equal(await result(zone, 'x@there.test', { port }), 'failed 5.4.6');
    assert.equal(await result({ 'there.test': entry }, 'x@there.test', { port }), 'failed 5.4.6');
  }
  for (const literal of ['x@[127.0.0.1]', 'x@[IPv6:::1]', 'x@[0.0.0.0]']) {
    assert.equal(await result({}, literal, { port }), 'failed 5.4.6', literal);
  }
  assert.equal(sink.sessions.length, 0);
  assert.equal(await result({}, 'x@[127.0.0.1]', { port, permitLoopback: true }), 'delivered');
});

test('MX that lie in private networks get nothing, unless the operator has such ones', async () => {
  const sink = await world.sink();
  const { port } = sink;
  const inside: readonly ZoneEntry[] = [
    { a: ['10.0.0.5'] },
    { a: ['172.16.0.1', '172.31.255.254', '192.168.1.1'] },
    { a: ['100.64.0.1', '169.254.169.254'] },
    { aaaa: ['fd00::5', 'fe80::1'] },
    { aaaa: ['::ffff:10.0.0.5', '64:ff9b::a00:5', '::10.0.0.5', '2002:a00:5::1'] },
  ];
  for (const entry of inside) {
    const zone = { 'there.test': { mx: [[1, 'mx.test']] as const }, 'mx.test': entry };
    assert.equal(await result(zone, 'x@there.test', { port }), 'failed 5.4.4');
    assert.equal(await result({ 'there.test': entry }, 'x@there.test', { port }), 'failed 5.4.4');
  }
  for (const literal of ['x@[10.0.0.5]', 'x@[IPv6:fd00::5]']) {
    assert.equal(await result({}, literal, { port }), 'failed 5.4.4', literal);
  }
  assert.equal(sink.sessions.length, 0);
  // The metadata service of a cloud beside a public address: that one alone is tried.
  const both = { a: ['169.254.169.254', '192.0.2.1'] };
  assert.deepEqual(await targets(both, { permitPrivate: false }), ['192.0.2.1']);
  assert.deepEqual(await targets(both, { permitPrivate: true }), both.a);
  const loopback = { 'there.test': { a: ['127.0.0.1'] } };
  assert.equal(
    await result(loopback, 'x@there.test', { port, permitPrivate: true }),
    'failed 5.4.6',
  );
});

test('MX as far away as we are, or farther, are not used', async () => {
  const [near, equal, far] = await world.sinks({}, {}, {});
  const more = { port: near!.port, permitLoopback: true };
  assert.equal(await result(hosts(20), 'x@there.test', more), 'delivered');
  near!.hook = () => '421 busy\r\n';
  assert.equal(await result(hosts(20), 'x@there.test', more), 'deferred 4.0.0');
  assert.deepEqual([equal?.sessions.length, far?.sessions.length], [0, 0]);
  assert.equal(await result(hosts(5), 'x@there.test', more), 'failed 5.4.6');
});

test('a thousand MX, a hundred names for one address: few questions, few connections', async () => {
  const sink = await world.sink({ hook: () => '421 busy\r\n' });
  const names = Array.from({ length: 100 }, (_, index) => `mx${index}.test`);
  const zone: Record<string, ZoneEntry> = {
    'there.test': { mx: Array.from({ length: 900 }, (_, n) => [n, `mx${n % 100}.test`] as const) },
  };
  for (const name of names) zone[name] = { a: ['127.0.0.1'] };
  world.dns.queries.length = 0;
  const more = { port: sink.port, permitLoopback: true };
  assert.equal(await result(zone, 'x@there.test', more), 'deferred 4.0.0');
  assert.equal(sink.sessions.length, 1);
  assert.ok(world.dns.queries.length <= 60, `${world.dns.queries.length} questions`);
});

test('domains in other letters go as A-labels, which need no SMTPUTF8', async () => {
  const sink = await world.sink({ capabilities: [] });
  const zone = { 'xn--bcher-kva.test': { a: ['127.0.0.1'] } };
  const more = { port: sink.port, permitLoopback: true };
  assert.equal(await result(zone, 'x@B\u00fccher.test', more), 'delivered');
  assert.deepEqual(sink.messages[0]?.recipients, ['RCPT TO:<x@xn--bcher-kva.test>']);
});

const hosts = (us: number) => ({
  'there.test': {
    mx: [
      [10, 'near.test'],
      [20, 'equal.test'],
      [us, 'here.test'],
      [30, 'far.test'],
    ] as const,
  },
  'near.test': { a: ['127.0.0.1'] },
  'equal.test': { a: ['127.0.0.2'] },
  'far.test': { a: ['127.0.0.3'] },
});
