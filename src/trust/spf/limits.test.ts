/** Tests of SPF under attack: its limits, its deadline, hostile records, anything at all. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type ZoneName, zoneResolver } from '#test/vectors/zone.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { parseSpfRecord } from './record.ts';
import { check, record, type Zone } from '#test/world/spf.ts';

function chain(terms: number): Zone {
  const zone: Record<string, ZoneName> = {};
  for (let at = 0; at < terms; at++) {
    const name = at === 0 ? 'example.com' : `n${at}.test`;
    zone[name] = { txt: [`v=spf1 include:n${at + 1}.test -all`] };
  }
  zone[`n${terms}.test`] = { txt: ['v=spf1 +all'] };
  return zone;
}

const HOSTS = (count: number) => Array.from({ length: count }, (_, at) => `h${at}.test`);

/** Attacks of the checklist: what comes of them, and how many questions they cost at most. */
const ATTACKS: readonly {
  readonly name: string;
  readonly zone: Zone;
  readonly expect: string;
  readonly most: number;
}[] = [
  { name: 'ten includes', zone: chain(10), expect: 'pass', most: 11 },
  { name: 'eleven includes', zone: chain(11), expect: 'permerror', most: 11 },
  {
    name: 'include of itself',
    zone: record('v=spf1 include:example.com -all'),
    expect: 'permerror',
    most: 1,
  },
  {
    name: 'includes that double at each step',
    zone: Object.fromEntries(
      ['example.com', ...HOSTS(20)].map((name, at) => [
        name,
        { txt: [`v=spf1 include:h${at}.test include:h${at}.test -all`] },
      ]),
    ),
    expect: 'permerror',
    most: 11,
  },
  {
    name: 'redirect to itself',
    zone: record('v=spf1 redirect=example.com'),
    expect: 'permerror',
    most: 1,
  },
  {
    name: 'redirects in a ring',
    zone: {
      'example.com': { txt: ['v=spf1 redirect=b.test'] },
      'b.test': { txt: ['v=spf1 redirect=example.com'] },
    },
    expect: 'permerror',
    most: 2,
  },
  {
    name: 'ten terms',
    zone: { ...record(`v=spf1 ${'a:h.test '.repeat(10)}-all`), 'h.test': { a: ['192.0.2.9'] } },
    expect: 'fail',
    most: 2,
  },
  {
    name: 'eleven terms',
    zone: { ...record(`v=spf1 ${'a:h.test '.repeat(11)}-all`), 'h.test': { a: ['192.0.2.9'] } },
    expect: 'permerror',
    most: 2,
  },
  { name: 'two voids', zone: record('v=spf1 a:x.test mx:y.test -all'), expect: 'fail', most: 3 },
  {
    name: 'three voids',
    zone: record('v=spf1 a:x.test mx:y.test exists:z.test -all'),
    expect: 'permerror',
    most: 4,
  },
  {
    name: 'exchangers without addresses are a void for each term',
    zone: Object.fromEntries([
      ['example.com', { txt: ['v=spf1 mx:a.test mx:b.test mx:c.test -all'] }],
      ...['a.test', 'b.test', 'c.test'].map((name) => [name, { mx: [[1, `x.${name}`]] }]),
    ]) as Zone,
    expect: 'permerror',
    most: 7,
  },
  {
    name: 'one exchanger of many without address is none',
    zone: {
      ...record(`v=spf1 ${'mx:a.test '.repeat(4)}-all`),
      'a.test': { mx: [[1, 'x.test'] as const, [2, 'y.test'] as const] },
      'y.test': { a: ['192.0.2.9'] },
    },
    expect: 'fail',
    most: 4,
  },
  {
    name: 'ten exchangers',
    zone: {
      'example.com': { txt: ['v=spf1 mx -all'], mx: HOSTS(10).map((host) => [1, host] as const) },
      'h9.test': { a: ['192.0.2.3'] },
    },
    expect: 'pass',
    most: 12,
  },
  {
    name: 'eleven exchangers',
    zone: {
      'example.com': { txt: ['v=spf1 mx -all'], mx: HOSTS(11).map((host) => [1, host] as const) },
      'h0.test': { a: ['192.0.2.3'] },
    },
    expect: 'permerror',
    most: 2,
  },
  {
    name: 'eleven pointers: the eleventh is not looked at',
    zone: {
      ...record('v=spf1 ptr:h10.test -all'),
      '3.2.0.192.in-addr.arpa': { ptr: HOSTS(11) },
      'h10.test': { a: ['192.0.2.3'] },
    },
    expect: 'fail',
    most: 12,
  },
  {
    name: 'ten mechanisms with ten exchangers each',
    zone: Object.fromEntries([
      [
        'example.com',
        {
          txt: [
            `v=spf1 ${HOSTS(10)
              .map((host) => `mx:${host}`)
              .join(' ')} -all`,
          ],
        },
      ],
      ...HOSTS(10).map((host) => [host, { mx: HOSTS(10).map((inner) => [1, `${inner}.${host}`]) }]),
      ...HOSTS(10).flatMap((host) =>
        HOSTS(10).map((inner) => [`${inner}.${host}`, { a: ['192.0.2.9'] }]),
      ),
    ]) as Zone,
    expect: 'permerror',
    most: 30,
  },
  {
    name: 'two records',
    zone: { 'example.com': { txt: ['v=spf1 +all', 'v=spf1 -all'] } },
    expect: 'permerror',
    most: 1,
  },
  {
    name: 'a record of 64 KB',
    zone: record(`v=spf1 ${'ip4:192.0.2.9 '.repeat(4_600)}-all`),
    expect: 'permerror',
    most: 1,
  },
  {
    name: '10,000 octets of macros',
    zone: record(`v=spf1 exists:${'%{s}'.repeat(2_400)}.test -all`),
    expect: 'fail',
    most: 1,
  },
  {
    name: 'an alias chain without end',
    zone: { 'example.com': { cname: 'b.test' }, 'b.test': { cname: 'example.com' } },
    expect: 'temperror',
    most: 1,
  },
  { name: 'no answer', zone: { 'example.com': { timeout: true } }, expect: 'temperror', most: 1 },
];

test('limits hold, and bound the questions that one check may cost', async () => {
  for (const { name, zone, expect, most } of ATTACKS) {
    const resolver = zoneResolver(zone);
    const outcome = await check({}, { resolver });
    assert.equal(outcome.result, expect, `${name}: ${outcome.why}`);
    assert.ok(resolver.questions.length <= most, `${name}: ${resolver.questions.length}`);
    assert.equal(outcome.lookups.length, resolver.questions.length, name);
  }
});

test('the deadline ends a check whose resolver never answers', async () => {
  const clock = virtualClock();
  const never = new Promise<never>(() => {});
  const resolver = { ...zoneResolver(record('v=spf1 a:slow.test -all')), a: () => never };
  const running = check({}, { resolver, clock });
  await new Promise((resolve) => setImmediate(resolve));
  clock.pass(19_999);
  let over = false;
  void running.then(() => (over = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(over, false);
  clock.pass(1);
  const outcome = await running;
  assert.equal(outcome.result, 'temperror');
  assert.match(outcome.why, /20000 ms/);
});

test('a hostile record is read in linear time', () => {
  const heads = ['v=spf1 ', 'v=spf1 a:', 'v=spf1 x=', 'v=spf1 ip6:', 'v=spf1 a/', 'v=spf1 exp='];
  const units = [
    'a ',
    'a',
    '%{',
    '%{d',
    '/',
    '/1',
    '-',
    '.',
    'a-',
    '%%',
    ':',
    '%{d1r-}',
    '?a/1//1 ',
  ];
  for (const head of heads) {
    for (const unit of units) {
      const text = head + unit.repeat(Math.ceil(200_000 / unit.length));
      const before = process.cpuUsage();
      parseSpfRecord(text);
      const { user } = process.cpuUsage(before);
      assert.ok(user < 400_000, `${head}${unit}: ${user} us`);
    }
  }
});

test('any record and any answer give a result', async () => {
  const term = fc.oneof(
    fc.constantFrom(
      'all',
      '-all',
      'a',
      'mx',
      'ptr',
      'a/24',
      'mx//64',
      'exists:%{l}.%{d}',
      'ip4:192.0.2.0/24',
    ),
    fc
      .constantFrom('include:', 'redirect=', 'exp=', 'a:', 'mx:', 'ptr:', 'exists:')
      .chain((name) =>
        fc
          .constantFrom('a.test', 'b.test', 'example.com', '%{p}.a.test', '%{h}', 'c.test')
          .map((domain) => name + domain),
      ),
    fc.string({ maxLength: 12 }),
  );
  const text = fc.array(term, { maxLength: 8 }).map((terms) => `v=spf1 ${terms.join(' ')}`);
  const entry = fc.record({
    txt: fc.array(fc.oneof(text, fc.string()), { maxLength: 2 }),
    a: fc.array(fc.constantFrom('192.0.2.3', '192.0.2.9', 'rubbish'), { maxLength: 3 }),
    mx: fc.array(fc.constantFrom([1, 'a.test'] as const, [0, '.'] as const), { maxLength: 12 }),
    ptr: fc.array(fc.constantFrom('a.test', 'b.test', '', '.', 'a..b'), { maxLength: 3 }),
    timeout: fc.boolean(),
  });
  const names = fc.tuple(entry, entry, entry, entry);
  await fc.assert(
    fc.asyncProperty(names, fc.string(), fc.string(), async ([own, a, b, back], sender, helo) => {
      const resolver = zoneResolver({
        'example.com': own,
        'a.test': a,
        'b.test': b,
        '3.2.0.192.in-addr.arpa': back,
      });
      const outcome = await check({}, { resolver, sender, helo });
      assert.ok(resolver.questions.length <= 31);
      assert.match(JSON.stringify(outcome), /^[\x20-\x7e]*$/);
    }),
    { numRuns: 300 },
  );
});
