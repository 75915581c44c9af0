/** Tests of iprev, of names, and of questions that are counted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ZoneName, zoneResolver } from '#test/vectors/zone.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { checkIprev } from './iprev.ts';
import { isQueryName, isWithin, lastLabels, parentName, plainName } from './names.ts';
import { Questions } from './questions.ts';

const ARPA = '1.2.0.192.in-addr.arpa';
const SIX = `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;

/** `result name` for a zone and the client's address. */
const CASES: readonly (readonly [
  what: string,
  zone: Readonly<Record<string, ZoneName>>,
  expected: string,
  ip?: string,
])[] = [
  [
    'there and back',
    { [ARPA]: { ptr: ['H.Test.'] }, 'h.test': { a: ['192.0.2.1'] } },
    'pass h.test',
  ],
  [
    'IPv6',
    { [SIX]: { ptr: ['h.test'] }, 'h.test': { aaaa: ['2001:DB8:0::1'] } },
    'pass h.test',
    '2001:db8::1',
  ],
  [
    'mapped IPv6 is IPv4',
    { [ARPA]: { ptr: ['h.test'] }, 'h.test': { a: ['192.0.2.1'] } },
    'pass h.test',
    '::ffff:192.0.2.1',
  ],
  [
    'the second of two names',
    { [ARPA]: { ptr: ['x.test', 'h.test'] }, 'h.test': { a: ['192.0.2.9', '192.0.2.1'] } },
    'pass h.test',
  ],
  ['no name', {}, 'permerror'],
  [
    'a name that leads elsewhere',
    { [ARPA]: { ptr: ['h.test'] }, 'h.test': { a: ['192.0.2.9'] } },
    'fail',
  ],
  ['a name that is not there', { [ARPA]: { ptr: ['h.test'] } }, 'fail'],
  [
    'an IPv4 address does not come back by AAAA',
    { [ARPA]: { ptr: ['h.test'] }, 'h.test': { aaaa: ['::ffff:192.0.2.1'] } },
    'fail',
  ],
  ['no answer backwards', { [ARPA]: { timeout: true } }, 'temperror'],
  ['no answer forwards', { [ARPA]: { ptr: ['h.test'] }, 'h.test': { timeout: true } }, 'temperror'],
  [
    'no answer about one, another is right',
    {
      [ARPA]: { ptr: ['x.test', 'h.test'] },
      'x.test': { timeout: true },
      'h.test': { a: ['192.0.2.1'] },
    },
    'pass h.test',
  ],
  [
    'names that are none',
    { [ARPA]: { ptr: ['', '.', 'a b', 'a..b', 'x\u001b.test', '<script>.test'] } },
    'permerror',
  ],
  [
    'the eleventh name',
    {
      [ARPA]: { ptr: [...Array.from({ length: 10 }, (_, at) => `x${at}.test`), 'h.test'] },
      'h.test': { a: ['192.0.2.1'] },
    },
    'fail',
  ],
  ['a socket', {}, 'permerror', 'unix'],
];

test('iprev: the cases of RFC 8601 2.7.3', async () => {
  for (const [what, zone, expected, ip = '192.0.2.1'] of CASES) {
    const { result, name } = await checkIprev({ ip, resolver: zoneResolver(zone) });
    assert.equal(name === undefined ? result : `${result} ${name}`, expected, what);
  }
});

test('iprev ends at its deadline', async () => {
  const clock = virtualClock();
  const resolver = { ...zoneResolver({}), ptr: () => new Promise<never>(() => {}) };
  const running = checkIprev({ ip: '192.0.2.1', resolver, clock });
  clock.pass(10_000);
  assert.equal((await running).result, 'temperror');
});

test('names: what can be asked, what is within what', () => {
  for (const name of [
    'a',
    'a.b',
    '_dmarc.x',
    'foo:bar/baz.example',
    'a b.c',
    `${'x'.repeat(63)}.y`,
  ]) {
    assert.ok(isQueryName(name), name);
  }
  const long = Array.from({ length: 64 }, () => 'abc').join('.');
  for (const name of ['', '.', 'a..b', '.a', 'a.', `${'x'.repeat(64)}.y`, long, 'a\0b', 'ü.test']) {
    assert.ok(!isQueryName(name), name);
  }
  assert.ok(isWithin('a.b', 'b') && isWithin('b', 'b') && !isWithin('ab', 'b'));
  assert.equal(lastLabels('a.b.c', 2), 'b.c');
  assert.equal(lastLabels('a.b', 7), 'a.b');
  assert.deepEqual([parentName('a.b'), parentName('b')], ['b', undefined]);
  assert.equal(plainName('A.B.'), 'a.b');
});

test('questions: each once, not more than allowed, all of them kept', async () => {
  const resolver = zoneResolver({
    'a.test': { a: Array.from({ length: 500 }, () => '192.0.2.1'), txt: ['x'.repeat(60_000)] },
  });
  const questions = new Questions({ resolver, maxQuestions: 3 });
  await Promise.all([questions.a('a.test'), questions.a('a.test'), questions.txt('a.test')]);
  await questions.mx('b.test');
  assert.equal(questions.exhausted, undefined);
  const over = await questions.aaaa('c.test');
  assert.equal(over.kind, 'failed');
  assert.equal(questions.exhausted, 'questions');
  assert.equal((await questions.a('a.test')).kind, 'found');
  assert.deepEqual(resolver.questions, ['A a.test', 'TXT a.test', 'MX b.test']);
  const [a, txt, mx] = questions.facts;
  assert.deepEqual([a?.count, a?.records.length, txt?.records[0]?.length], [500, 12, 1_027]);
  assert.deepEqual([mx?.answer, mx?.records], ['nxdomain', []]);
});

test('questions after the deadline are not asked', async () => {
  const clock = virtualClock();
  const resolver = zoneResolver({});
  const questions = new Questions({ resolver, clock, totalMs: 100 });
  await questions.a('a.test');
  clock.pass(100);
  assert.equal((await questions.a('b.test')).kind, 'failed');
  assert.deepEqual([questions.exhausted, resolver.questions], ['time', ['A a.test']]);
  assert.equal(clock.pending, 0);
});
