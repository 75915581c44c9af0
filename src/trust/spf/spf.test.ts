/** Tests of SPF: the suite, RFC 7208's examples, records, explanations, facts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { asMap, parseYaml } from '#test/vectors/yaml.ts';
import { runScenarios, spfSuite } from '#test/vectors/spf.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import path from 'node:path';
import { spfIdentity } from './check.ts';
import { expandMacros, parseMacros } from './macro.ts';
import { check, record } from '#test/world/spf.ts';

const VECTORS = path.join(import.meta.dirname, '../../../../shared/vectors');

test('the RFC 7208 suite passes, all 203 cases of it', async (context) => {
  const { passed, failures, skipped } = await spfSuite.run(VECTORS);
  if (skipped !== undefined) return context.skip(skipped);
  assert.deepEqual(failures, []);
  assert.equal(passed, 203);
});

test('the runner of the suite is able to fail', async () => {
  const [scenario] = parseYaml(
    `description: x\ntests:\n  t:\n    helo: h.test\n    host: 192.0.2.1\n    mailfrom: a@b.test\n    result: pass\nzonedata:\n  b.test:\n    - SPF: v=spf1 -all\n`,
  );
  const { passed, failures } = await runScenarios([asMap(scenario)]);
  assert.deepEqual([passed, failures.length], [0, 1]);
});

test('macros expand as in the examples of RFC 7208 7.4', () => {
  const values: Record<string, string> = {
    s: 'strong-bad@email.example.com',
    l: 'strong-bad',
    o: 'email.example.com',
    d: 'email.example.com',
    i: '192.0.2.3',
    v: 'in-addr',
  };
  const rows: readonly (readonly [macros: string, expansion: string])[] = [
    ['%{s}', 'strong-bad@email.example.com'],
    ['%{o}', 'email.example.com'],
    ['%{d4}', 'email.example.com'],
    ['%{d3}', 'email.example.com'],
    ['%{d2}', 'example.com'],
    ['%{d1}', 'com'],
    ['%{dr}', 'com.example.email'],
    ['%{d2r}', 'example.email'],
    ['%{l}', 'strong-bad'],
    ['%{l-}', 'strong.bad'],
    ['%{lr}', 'strong-bad'],
    ['%{lr-}', 'bad.strong'],
    ['%{l1r-}', 'strong'],
    ['%{l100r-}', 'bad.strong'],
    ['%{ir}.%{v}._spf.%{d2}', '3.2.0.192.in-addr._spf.example.com'],
    ['%{lr-}.lp.%{ir}.%{v}._spf.%{d2}', 'bad.strong.lp.3.2.0.192.in-addr._spf.example.com'],
    ['%{d2}.trusted-domains.example.net', 'example.com.trusted-domains.example.net'],
    ['%%%_%-', '% %20'],
    ['%{S}', 'strong-bad%40email.example.com'],
  ];
  for (const [macros, expansion] of rows) {
    const pieces = parseMacros(macros, 'domain');
    assert.ok(pieces !== undefined, macros);
    assert.equal(
      expandMacros(pieces, (letter) => values[letter], 500),
      expansion,
      macros,
    );
  }
});

test('IPv6 is asked for digit by digit', async () => {
  const name =
    '1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com';
  const zone = {
    ...record('v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all'),
    [name]: { a: ['127.0.0.2'] },
  };
  assert.equal((await check(zone, { ip: '2001:db8::cb01' })).result, 'pass');
});

test('macros that are none are an error of the record', () => {
  const wrong = ['%', '%x', '%{', '%{}', '%{x}', '%{d0}', '%{d1', '%{d1rr}', '%{d 1}', '%{d.1}'];
  for (const macro of [...wrong, '%{d1234567890}', '%{c}', '%{r}', '%{t}', 'a b']) {
    assert.equal(parseMacros(macro, 'domain'), undefined, macro);
  }
  assert.ok(parseMacros('%{c} %{r} %{t}', 'explanation') !== undefined);
});

const WRONG_RECORDS: readonly string[] = [
  'v=spf1 foo',
  'v=spf1 a:',
  'v=spf1 a:museum',
  'v=spf1 a:192.0.2.1',
  'v=spf1 a/33',
  'v=spf1 a//129',
  'v=spf1 a/024',
  'v=spf1 a/24/64',
  'v=spf1 mx:example.com:25',
  'v=spf1 ip4:192.0.2',
  'v=spf1 ip4:192.0.2.1/',
  'v=spf1 ip4:192.0.2.1/33',
  'v=spf1 ip4:192.0.2.1/8/8',
  'v=spf1 ip4:2001:db8::1',
  'v=spf1 ip6:192.0.2.1',
  'v=spf1 ip6:::1/129',
  'v=spf1 all:x',
  'v=spf1 include',
  'v=spf1 exists:example.com/24',
  'v=spf1 ptr/24',
  'v=spf1 redirect=a.test redirect=b.test',
  'v=spf1 exp=a.test exp=a.test',
  'v=spf1 redirect=',
  'v=spf1 moo=%{',
  'v=spf1 --all',
  'v=spf1 -all\u0000',
  'v=spf1\ta',
];

test('any error anywhere in a record is permerror, even behind a match', async () => {
  for (const text of WRONG_RECORDS) {
    if (!text.startsWith('v=spf1 ')) continue;
    const outcome = await check(record(text.replace('v=spf1', 'v=spf1 +all')));
    assert.equal(outcome.result, 'permerror', text);
  }
  assert.equal((await check(record('v=spf1\ta'))).result, 'none');
});

test('networks match by their bits', async () => {
  const rows: readonly (readonly [terms: string, ip: string, result: string])[] = [
    ['ip4:192.0.2.0/24', '192.0.2.255', 'pass'],
    ['ip4:192.0.2.0/25', '192.0.2.128', 'fail'],
    ['ip4:192.0.2.2/31', '192.0.2.3', 'pass'],
    ['ip4:0.0.0.0/0', '203.0.113.9', 'pass'],
    ['ip4:0.0.0.0/0', '2001:db8::1', 'fail'],
    ['ip6:2001:db8::/32', '2001:db8:ffff::1', 'pass'],
    ['ip6:2001:db8::/33', '2001:db8:8000::1', 'fail'],
    ['ip6:::/0', '192.0.2.1', 'fail'],
    ['ip4:192.0.2.0/24', '::ffff:192.0.2.1', 'pass'],
    ['ip4:192.0.2.0/24', '::ffff:c000:201', 'pass'],
    ['ip6:::ffff:192.0.2.1', '::ffff:192.0.2.1', 'fail'],
    ['ip6:::ffff:0:0/96', '192.0.2.1', 'fail'],
  ];
  for (const [terms, ip, result] of rows) {
    const outcome = await check(record(`v=spf1 ${terms} -all`), { ip });
    assert.equal(outcome.result, result, `${terms} ${ip}`);
  }
});

const EXPLAIN = 'v=spf1 -all exp=why.example.com';

test('an explanation is printable ASCII, cut, or not there', async () => {
  const rows: readonly (readonly [
    text: string | undefined,
    sender: string,
    expected: string | undefined,
  ])[] = [
    ['Not %{i} for %{o}. See %{R}', 'a@example.com', 'Not 192.0.2.3 for example.com. See unknown'],
    ['a\r\nb', 'a@example.com', undefined],
    ['a\u001b[31mb', 'a@example.com', undefined],
    ['\u00fcber', 'a@example.com', undefined],
    ['%{x}', 'a@example.com', undefined],
    ['', 'a@example.com', undefined],
    [undefined, 'a@example.com', undefined],
    ['hello %{l}', 'a\r\n\u001bb@example.com', 'hello a???b'],
    ['hello %{l}', 'jörg@example.com', 'hello j?rg'],
    ['y'.repeat(3_000), 'a@example.com', 'y'.repeat(250)],
    ['y'.repeat(60_000), 'a@example.com', undefined],
  ];
  for (const [text, sender, expected] of rows) {
    const txt = text === undefined ? [] : [text];
    const outcome = await check({ ...record(EXPLAIN), 'why.example.com': { txt } }, { sender });
    assert.equal(outcome.result, 'fail');
    assert.equal(outcome.explanation, expected, text?.slice(0, 40) ?? 'no record');
  }
});

test('only a fail is explained', async () => {
  for (const sign of ['+', '~', '?']) {
    const zone = { ...record(`v=spf1 ${sign}all exp=why.test`), 'why.test': { txt: ['So.'] } };
    assert.equal((await check(zone)).explanation, undefined);
  }
});

test('%{t} and %{r} are the time and the name that were handed in', async () => {
  const zone = { ...record(EXPLAIN), 'why.example.com': { txt: ['%{t} %{r} %{c}'] } };
  const clock = virtualClock(1_700_000_000_999);
  const outcome = await check(zone, { clock, receiver: 'mx.us.test' });
  assert.equal(outcome.explanation, '1700000000 mx.us.test 192.0.2.3');
  assert.equal(clock.pending, 0);
});

test('identities that are no domains have no result', async () => {
  for (const domain of [
    '',
    'localhost',
    '[192.0.2.1]',
    'a..b',
    `${'x'.repeat(64)}.test`,
    'a b.test',
  ]) {
    assert.equal((await check({}, { domain })).result, 'none', domain);
  }
  const local = { localhost: { txt: ['v=spf1 +all'] } };
  assert.equal((await check(local, { domain: 'localhost' })).result, 'none');
  assert.equal((await check(record('v=spf1 +all'), { ip: 'unix' })).result, 'none');
});

test('U-labels are asked for as A-labels, local parts beyond ASCII match nothing', async () => {
  const zone = {
    'xn--mnchen-3ya.test': {
      txt: ['v=spf1 exists:%{l}.%{d} exists:%{L}.ok.test ip4:192.0.2.3 -all'],
    },
  };
  const resolver = zoneResolver({ ...zone, 'j%c3%b6rg.ok.test': { a: ['127.0.0.2'] } });
  const outcome = await check(
    {},
    { domain: 'münchen.test', sender: 'jörg@münchen.test', resolver },
  );
  assert.deepEqual([outcome.result, outcome.mechanism], ['pass', 'ip4:192.0.2.3']);
  assert.deepEqual(resolver.questions, ['TXT xn--mnchen-3ya.test']);
});

test('facts hold every question and are printable, whatever was answered', async () => {
  const zone = {
    'example.com': {
      txt: ['\u001b[2J\r\n\u00ff', 'v=spf1 mx -all'],
      mx: [[10, 'h.test']] as const,
    },
    'h.test': { timeout: true },
  };
  const outcome = await check(zone);
  assert.deepEqual(
    outcome.lookups.map(({ type, name, answer, count }) => [type, name, answer, count]),
    [
      ['TXT', 'example.com', 'found', 2],
      ['MX', 'example.com', 'found', 1],
      ['A', 'h.test', 'failed', 0],
    ],
  );
  assert.match(JSON.stringify(outcome), /^[\x20-\x7e]*$/);
});

test('%{p} is the domain itself, else a name below it, else any', async () => {
  const rows: readonly (readonly [names: readonly string[], expected: string])[] = [
    [['x.test', 'mail.example.com', 'example.com'], 'example.com'],
    [['x.test', 'mail.example.com'], 'mail.example.com'],
    [['badexample.com', 'y.test'], 'badexample.com'],
    [['elsewhere.test'], 'unknown'],
  ];
  for (const [ptr, expected] of rows) {
    const hosts = ptr.filter((name) => name !== 'elsewhere.test');
    const outcome = await check({
      ...Object.fromEntries(hosts.map((name) => [name, { a: ['192.0.2.3'] }])),
      '3.2.0.192.in-addr.arpa': { ptr },
      'example.com': { a: ['192.0.2.3'], txt: [EXPLAIN] },
      'why.example.com': { txt: ['%{p}'] },
    });
    assert.equal(outcome.explanation, expected);
  }
});

test('the identity is MAIL FROM, or for <> the name of HELO', async () => {
  const path = parseAddress('a@example.com')!;
  const sender = 'a@example.com';
  assert.deepEqual(spfIdentity(path, 'h.test'), {
    identity: 'mailfrom',
    domain: 'example.com',
    sender,
  });
  const { identity, ...question } = spfIdentity(null, 'h.test');
  assert.equal(identity, 'helo');
  const zone = {
    'h.test': { txt: ['v=spf1 exists:%{l}.ok.test -all'] },
    'postmaster.ok.test': { a: ['127.0.0.2'] },
  };
  assert.equal((await check(zone, question)).result, 'pass');
});
