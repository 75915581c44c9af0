/** The resolver against a real DNS server on loopback: answers, faults, spoofs, hostile packets. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Lookup } from '#base/world.ts';
import { startDnsServer, type DnsServer, type ZoneEntry } from '#test/world/dns-server.ts';
import { systemClock } from '../clock.ts';
import { systemRandom } from '../random.ts';
import { RECORDS } from './inspect.ts';
import { dnsResolver, type ResolverOptions } from './resolver.ts';

let server: DnsServer;
before(async () => {
  server = await startDnsServer();
});
after(() => server.close());
beforeEach(() => {
  server.zone.clear();
  server.queries.length = 0;
});

function resolver(more: Partial<ResolverOptions> = {}) {
  const world = { clock: systemClock, random: systemRandom };
  const limits = { tryMs: 5_000, totalMs: 10_000, rounds: 1 };
  return dnsResolver({ ...world, ...limits, servers: [server.server], ...more });
}

function zone(entries: Readonly<Record<string, ZoneEntry>>): void {
  for (const [name, entry] of Object.entries(entries)) server.zone.set(name, entry);
}

function records<T>(lookup: Lookup<T>): readonly T[] {
  assert.equal(lookup.kind, 'found', JSON.stringify(lookup));
  return lookup.kind === 'found' ? lookup.records : [];
}

function reason(lookup: Lookup<unknown>): string {
  assert.equal(lookup.kind, 'failed', JSON.stringify(lookup));
  return lookup.kind === 'failed' ? lookup.reason : '';
}

describe('answers', () => {
  test('labels of any printable octet are asked for, as SPF macros make them', async () => {
    const odd = 'ann+lists=x!#.1.2.0.192._spf.demo.test';
    zone({
      [odd]: { a: ['127.0.0.2'], txt: ['v=spf1 -all'] },
    });
    const names = resolver();
    assert.deepEqual(records(await names.a('Ann+Lists=X!#.1.2.0.192._spf.demo.test.')), [
      '127.0.0.2',
    ]);
    assert.deepEqual(records(await names.txt(odd)), ['v=spf1 -all']);
    server.queries.length = 0;
    const long = `${'x'.repeat(64)}.demo.test`;
    const impossible = ['a..test', '.', '', long, 'a\0b.test', '192.0.2.1', 'a\u00e9+b.test'];
    for (const name of [...impossible, `${'abcdefg+.'.repeat(28)}test`]) {
      assert.equal((await names.a(name)).kind, 'none', name);
    }
    assert.deepEqual(server.queries, []);
    // Hosts of DANE are hosts: nothing odd is asked for there.
    assert.equal((await names.tlsa(odd)).kind, 'none');
    assert.deepEqual(server.queries, []);
  });

  test('each type', async () => {
    const data = Buffer.from('abcd');
    zone({
      'demo.test': {
        mx: [
          [10, 'MX1.demo.test'],
          [20, 'mx2.demo.test'],
        ],
        txt: ['one', ['v=spf1 ', '-all'], '\xe9'],
        a: ['192.0.2.1', '192.0.2.2'],
        aaaa: ['2001:db8::1'],
        tlsa: [{ usage: 3, selector: 1, matching: 1, data }],
        caa: [[128, 'issue', 'ca.test']],
      },
      '_imaps._tcp.demo.test': { srv: [[0, 1, 993, 'Mail.demo.test']] },
      'null.test': { mx: [[0, '.']] },
      '192.0.2.1': { ptr: ['Host.demo.test'] },
      '2001:db8::1': { ptr: ['six.demo.test'] },
      'xn--bcher-kva.test': { a: ['192.0.2.9'] },
    });
    const names = resolver();
    assert.deepEqual(records(await names.mx('Demo.test.')), [
      { preference: 10, exchange: 'mx1.demo.test' },
      { preference: 20, exchange: 'mx2.demo.test' },
    ]);
    assert.deepEqual(records(await names.mx('null.test')), [{ preference: 0, exchange: '.' }]);
    assert.deepEqual(records(await names.a('demo.test')), ['192.0.2.1', '192.0.2.2']);
    assert.deepEqual(records(await names.aaaa('demo.test')), ['2001:db8::1']);
    const texts = records(await names.txt('demo.test'));
    assert.deepEqual(texts, ['one', 'v=spf1 -all', '\xc3\xa9']);
    assert.deepEqual(records(await names.ptr('192.0.2.1')), ['host.demo.test']);
    assert.deepEqual(records(await names.ptr('2001:DB8::1')), ['six.demo.test']);
    assert.deepEqual(records(await names.a('bücher.test')), ['192.0.2.9']);
    assert.deepEqual(records(await names.srv('_imaps._tcp.demo.test')), [
      { priority: 0, weight: 1, port: 993, target: 'mail.demo.test' },
    ]);
    assert.deepEqual(records(await names.caa('demo.test')), [
      { critical: true, tag: 'issue', value: 'ca.test' },
    ]);
    const [tlsa] = records(await names.tlsa('demo.test'));
    assert.deepEqual(
      { ...tlsa, data: String(tlsa?.data) },
      {
        usage: 3,
        selector: 1,
        matching: 1,
        data: 'abcd',
      },
    );
  });

  test('no such name is told from no such record', async () => {
    zone({ 'demo.test': { a: ['192.0.2.1'] } });
    const names = resolver();
    const nodata = { kind: 'none', why: 'nodata', authentic: false };
    const nxdomain = { kind: 'none', why: 'nxdomain', authentic: false };
    assert.deepEqual(await names.mx('demo.test'), nodata);
    assert.deepEqual(await names.mx('missing.test'), nxdomain);
    for (const name of ['', '.', 'a b', '[192.0.2.1]', 'x'.repeat(64), `a\0.test`]) {
      assert.deepEqual(await names.a(name), nxdomain, name);
    }
    assert.deepEqual(await names.ptr('not an address'), nxdomain);
    assert.equal(server.queries.length, 2);
  });

  test('aliases are followed, inside one answer and by asking again', async () => {
    const chain: Record<string, ZoneEntry> = { 'c10.test': { a: ['192.0.2.1'], ttl: 50 } };
    for (let index = 0; index < 10; index += 1) {
      chain[`c${index}.test`] = { cname: `C${index + 1}.test`, ttl: index === 4 ? 7 : 300 };
    }
    zone(chain);
    const whole = await resolver().a('c0.test');
    assert.deepEqual(records(whole), ['192.0.2.1']);
    assert.equal(whole.kind === 'found' && whole.ttlSeconds, 7);
    zone({ 'c8.test': { cname: 'c9.test', fault: 'cname-only' } });
    zone({ 'c9.test': { cname: 'c10.test', fault: 'cname-only' } });
    server.queries.length = 0;
    assert.deepEqual(records(await resolver().a('c8.test')), ['192.0.2.1']);
    assert.deepEqual(server.queries, ['A c8.test udp', 'A c9.test udp', 'A c10.test udp']);
    zone({ 'start.test': { cname: 'c0.test' }, 'end.test': { cname: 'gone.test' } });
    assert.match(reason(await resolver().a('start.test')), /more than 10 aliases/);
    const none = { kind: 'none', why: 'nxdomain', authentic: false };
    assert.deepEqual(await resolver().a('end.test'), none);
  });

  test('a loop of aliases fails, within the limit of questions', async () => {
    zone({
      'a.test': { cname: 'b.test', fault: 'cname-only' },
      'b.test': { cname: 'a.test', fault: 'cname-only' },
      'self.test': { cname: 'self.test' },
    });
    assert.match(reason(await resolver().a('a.test')), /aliases/);
    assert.equal(server.queries.length, 3);
    assert.match(reason(await resolver().a('self.test')), /aliases/);
  });

  test('what is large comes over TCP', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `192.0.2.${index}`);
    zone({ 'many.test': { a: many }, 'cut.test': { a: ['192.0.2.1'], fault: 'truncate' } });
    assert.equal(records(await resolver().a('many.test')).length, 200);
    assert.deepEqual(records(await resolver().a('cut.test')), ['192.0.2.1']);
    assert.deepEqual(server.queries.slice(-2), ['A cut.test udp', 'A cut.test tcp']);
  });
});

describe('authentic', () => {
  test('is believed only of servers that are listed as validating', async () => {
    zone({ 'signed.test': { a: ['192.0.2.1'], authentic: true }, 'plain.test': { a: ['::'] } });
    const believed = await resolver({ validating: [server.server] }).a('signed.test');
    assert.equal(believed.kind === 'found' && believed.authentic, true);
    const stranger = await resolver({ validating: ['127.0.0.1:1'] }).a('signed.test');
    assert.equal(stranger.kind === 'found' && stranger.authentic, false);
    const none = await resolver({ validating: [server.server] }).mx('signed.test');
    assert.deepEqual(none, { kind: 'none', why: 'nodata', authentic: true });
  });

  test('one alias that is not signed spoils it', async () => {
    zone({
      'alias.test': { cname: 'signed.test', authentic: false, fault: 'cname-only' },
      'signed.test': { a: ['192.0.2.1'], authentic: true },
    });
    const lookup = await resolver({ validating: [server.server] }).a('alias.test');
    assert.equal(lookup.kind === 'found' && lookup.authentic, false);
  });
});

describe('faults', () => {
  test('each is a failure with its reason, never an absence', async () => {
    const table: readonly [ZoneEntry, RegExp][] = [
      [{ fault: 'servfail' }, /SERVFAIL/],
      [{ fault: 'refused' }, /REFUSED/],
      [{ fault: 'drop' }, /no answer in time/],
      [{ fault: 'wrong-id', a: ['192.0.2.66'] }, /no answer in time/],
      [{ fault: 'wrong-question' }, /no answer in time/],
      [{ slowMs: 500, a: ['192.0.2.1'] }, /no answer in time/],
    ];
    for (const [entry, why] of table) {
      zone({ 'bad.test': entry });
      // Only what never comes is waited for in vain: a busy machine answers late, too.
      const tryMs = why.source.includes('in time') ? 30 : 5_000;
      assert.match(reason(await resolver({ tryMs }).mx('bad.test')), why);
    }
  });

  test('a spoof that comes first is not taken', async () => {
    zone({ 'demo.test': { a: ['192.0.2.1'], fault: 'spoofed-first' } });
    assert.deepEqual(records(await resolver().a('demo.test')), ['192.0.2.1']);
  });

  test('the next server is asked, a refused port is noticed at once', async () => {
    zone({ 'demo.test': { a: ['192.0.2.1'] } });
    const closed = await startDnsServer();
    await closed.close();
    const both = resolver({ servers: [closed.server, server.server] });
    assert.deepEqual(records(await both.a('demo.test')), ['192.0.2.1']);
    assert.match(reason(await resolver({ servers: [closed.server] }).a('x.test')), /REFUSED/);
  });

  test('the whole lookup has a deadline, whatever the rounds', async () => {
    zone({ 'slow.test': { fault: 'drop' } });
    const startMs = performance.now();
    const patient = resolver({ rounds: 100, tryMs: 20, totalMs: 50 });
    assert.match(reason(await patient.a('slow.test')), /gave up after 50 ms/);
    assert.ok(performance.now() - startMs < 10_000);
  });

  test('questions on their way are limited, the rest waits, and too many fail', async () => {
    zone({ 'slow.test': { slowMs: 10 } });
    const names = resolver({ concurrent: 1, waiting: 1 });
    const all = [names.a('slow.test'), names.mx('slow.test'), names.txt('slow.test')];
    const kinds = (await Promise.all(all)).map((lookup) => lookup.kind);
    assert.deepEqual(kinds, ['none', 'none', 'failed']);
  });

  test('a question that waited for its turn too long is not asked any more', async () => {
    const time = later();
    zone({ 'slow.test': { slowMs: 50 }, 'late.test': { a: ['192.0.2.1'] } });
    const names = resolver({ concurrent: 1, clock: time.clock });
    const slow = names.a('slow.test');
    const late = names.a('late.test');
    await new Promise((resolve) => setImmediate(resolve));
    time.pass(11);
    assert.match(reason(await late), /no turn within 10000 ms/);
    assert.equal((await slow).kind, 'none');
    assert.ok(!server.queries.some((query) => query.includes('late.test')));
  });

  test('the same question on its way is asked once', async () => {
    zone({ 'slow.test': { slowMs: 5, a: ['192.0.2.1'] } });
    const names = resolver();
    await Promise.all([names.a('slow.test'), names.a('SLOW.test')]);
    assert.equal(server.queries.length, 1);
  });
});

describe('cache', () => {
  test('answers and absences are kept as long as they say', async () => {
    const time = later();
    zone({ 'demo.test': { a: ['192.0.2.1'], ttl: 60 }, 'loose.test': { fault: 'no-soa' } });
    const names = resolver({ clock: time.clock });
    for (const _ of [1, 2]) {
      await names.a('demo.test');
      await names.mx('demo.test');
      await names.mx('loose.test');
      await names.a('gone.test');
      time.pass(30);
    }
    const asked = server.queries.toSorted();
    const once = ['A demo.test udp', 'A gone.test udp', 'MX demo.test udp'];
    assert.deepEqual(asked, [...once, 'MX loose.test udp', 'MX loose.test udp']);
    time.pass(31);
    await names.a('demo.test');
    assert.equal(server.queries.length, 6);
  });

  test('huge answers push out one another, not memory', async () => {
    const txt = Array.from({ length: 200 }, (_, index) => `${index} ${'x'.repeat(200)}`);
    const names = resolver({ cacheBytes: 400_000 });
    zone({ 'small.test': { a: ['192.0.2.1'] } });
    await names.a('small.test');
    for (let index = 0; index < 10; index += 1) {
      zone({ [`n${index}.test`]: { txt } });
      assert.equal(records(await names.txt(`n${index}.test`)).length, 200);
    }
    server.queries.length = 0;
    await names.txt('n9.test');
    assert.equal(server.queries.length, 0, 'the newest is there');
    await names.txt('n0.test');
    assert.notEqual(server.queries.length, 0, 'the oldest made room');
    // What alone is larger than all that may be kept is not kept, and pushes out nobody.
    const few = resolver({ cacheBytes: 20_000 });
    await few.a('small.test');
    await few.txt('n0.test');
    server.queries.length = 0;
    await few.a('small.test');
    assert.equal(server.queries.length, 0);
    await few.txt('n0.test');
    assert.notEqual(server.queries.length, 0);
  });

  test('failures are not kept; ttl 0 is not kept; the oldest goes first', async () => {
    zone({ 'x.test': { fault: 'servfail' }, 'zero.test': { a: ['192.0.2.1'], ttl: 0 } });
    const names = resolver({ cacheEntries: 1 });
    await names.a('x.test');
    zone({ 'x.test': { a: ['192.0.2.1'] }, 'y.test': { a: ['192.0.2.2'] } });
    assert.deepEqual(records(await names.a('x.test')), ['192.0.2.1']);
    await names.a('zero.test');
    await names.a('zero.test');
    await names.a('y.test');
    await names.a('x.test');
    const counts = server.queries.filter((query) => query.includes('x.test')).length;
    assert.equal(counts, 3);
    assert.equal(server.queries.filter((query) => query.includes('zero.test')).length, 2);
  });
});

describe('hostile packets', () => {
  test('each fails at once, with the reason', async () => {
    const address = Buffer.from([192, 0, 2, 1]);
    const here = 12 + question.length;
    const pointers = Buffer.concat(
      Array.from({ length: 200 }, (_, index) => {
        const to = index === 0 ? 12 : here + 10 + 2 * index;
        return Buffer.from([0xc0 | (to >> 8), to & 255]);
      }),
    );
    const last = here + 12 + 2 * 199;
    const table: readonly [string, Buffer, RegExp][] = [
      ['no octets', header([0, 0, 0, 0]), /0 questions/],
      ['two questions', Buffer.concat([header([2, 0, 0, 0]), question, question]), /2 questions/],
      ['counts lie', Buffer.concat([header([1, 5, 0, 0]), question]), /broken record/],
      ['too many', Buffer.concat([header([1, RECORDS, 1, 0]), question]), /1001 records/],
      ['10,000 records', Buffer.concat([header([1, 10_000, 0, 0]), question]), /10000 records/],
      [
        'a name that points to itself',
        Buffer.concat([header([1, 1, 0, 0]), question, record([0xc0, here], 1, address)]),
        /broken record/,
      ],
      [
        'a long chain of pointers',
        Buffer.concat([
          header([1, 2, 0, 0]),
          question,
          record([0xc0, 12], 16, pointers),
          record([0xc0 | (last >> 8), last & 255], 1, address),
        ]),
        /broken record/,
      ],
      [
        'a short address',
        Buffer.concat([header([1, 1, 0, 0]), question, record([0xc0, 12], 1, Buffer.of(1))]),
        /broken record/,
      ],
      [
        'a type nobody asked for',
        Buffer.concat([header([1, 1, 0, 0]), question, record([0xc0, 12], 47, Buffer.of(0, 0))]),
        /broken record/,
      ],
    ];
    for (const [what, raw, why] of table) assert.match(await ask(raw), why, what);
  });

  test('random octets never end the process', async () => {
    for (let length = 10; length < 60; length += 1) {
      const noise = Buffer.from(systemRandom.bytes(length + 2));
      if (length > 2) noise[2] = 0x81;
      assert.match(await ask(noise), /./);
    }
  });
});

const later = () => {
  let elapsed = 0;
  const clock = { ...systemClock, elapsed: () => elapsed };
  return { clock, pass: (seconds: number) => void (elapsed += seconds * 1_000) };
};

const header = (counts: readonly number[]): Buffer =>
  Buffer.from([0, 0, 0x81, 0x80, ...counts.flatMap((count) => [count >> 8, count & 255])]);
const question = Buffer.from('\x03bad\x04test\x00\x00\x01\x00\x01', 'latin1');
const record = (name: readonly number[], type: number, data: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([...name, 0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255]),
    data,
  ]);
const ask = async (raw: Buffer): Promise<string> => {
  zone({ 'bad.test': { raw } });
  return reason(await resolver({ tryMs: 30 }).a('bad.test'));
};
