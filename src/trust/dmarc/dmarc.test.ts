/** Tests of DMARC: the table of cases, records and walks under attack, limits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseDomain } from '#base/domain.ts';
import { dmarcCases } from '#test/vectors/dmarc-cases.ts';
import { dmarcSuite, runDmarc } from '#test/vectors/dmarc.ts';
import { type ZoneName, zoneResolver } from '#test/vectors/zone.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { authorOf } from './author.ts';
import { type DmarcQuestion, evaluateDmarc } from './evaluate.ts';
import { isDmarcRecord, parseDmarcRecord } from './record.ts';

type Zone = Readonly<Record<string, ZoneName>>;

function evaluate(zone: Zone, question: Partial<DmarcQuestion> = {}) {
  return evaluateDmarc({
    author: authorOf([parseDomain('example.com')!]),
    dkim: [],
    resolver: zoneResolver(zone),
    ...question,
  });
}

test('the table of DMARC cases', async () => {
  assert.deepEqual((await dmarcSuite.run('')).failures, []);
});

test('the runner of the table is able to fail', async () => {
  const [first] = dmarcCases;
  const { failures } = await runDmarc([{ ...first!, expect: 'none' }]);
  assert.equal(failures.length, 1);
});

test('a domain of several labels is asked about eight times at most', async () => {
  const name = Array.from({ length: 60 }, (_, at) => `l${at}`).join('.');
  const resolver = zoneResolver({});
  const author = authorOf([parseDomain(`${name}.com`)!]);
  const outcome = await evaluate({}, { author, resolver });
  assert.equal(outcome.result, 'none');
  assert.equal(resolver.questions.length, 8);
  assert.equal(outcome.lookups.length, 8);
});

test('many signatures cost few questions', async () => {
  const zone: Zone = { '_dmarc.example.com': { txt: ['v=DMARC1; p=reject'] } };
  const dkim = Array.from({ length: 10_000 }, (_, at) => ({
    result: 'pass',
    domain: `a.b.c.d.e.f${at}.example.com`,
  }));
  const resolver = zoneResolver(zone);
  const outcome = await evaluate(zone, { dkim, resolver });
  assert.equal(outcome.result, 'pass');
  assert.ok(resolver.questions.length <= 20, String(resolver.questions.length));
  const near = dkim.map((one, at) => ({ ...one, domain: `f${at}.example.com` }));
  assert.equal((await evaluate(zone, { dkim: near })).aligned.length, 10);
  const foreign = zoneResolver(zone);
  const others = dkim.map(({ domain }) => ({ result: 'pass', domain: `${domain}.test` }));
  assert.equal((await evaluate(zone, { dkim: others, resolver: foreign })).result, 'fail');
  assert.equal(foreign.questions.length, 1);
});

test('the deadline makes a temperror of a resolver that never answers', async () => {
  const clock = virtualClock();
  const resolver = { ...zoneResolver({}), txt: () => new Promise<never>(() => {}) };
  const running = evaluate({}, { resolver, clock, limits: { totalMs: 500 } });
  clock.pass(500);
  const outcome = await running;
  assert.deepEqual([outcome.result, outcome.disposition], ['temperror', 'none']);
});

test('a resolver that rejects is one that does not answer', async () => {
  const resolver = { ...zoneResolver({}), txt: () => Promise.reject(new Error('bug')) };
  assert.equal((await evaluate({}, { resolver })).result, 'temperror');
});

function policy(text: string): ZoneName {
  return { txt: [`v=DMARC1; ${text}`] };
}

test('what a temperror leaves open is told, also from above what does not answer', async () => {
  const down = { timeout: true };
  const spf = { result: 'temperror', domain: 'out.example.com' };
  const far = { result: 'temperror', domain: 'far.test' };
  const rows: readonly (readonly [Zone, spf: typeof spf, author: string, result: string])[] = [
    [{ '_dmarc.example.com': policy('p=reject') }, spf, 'example.com', 'temperror reject'],
    [{ '_dmarc.example.com': policy('p=reject; t=y') }, spf, 'example.com', 'temperror quarantine'],
    [{ '_dmarc.example.com': policy('p=quarantine') }, spf, 'example.com', 'temperror quarantine'],
    [{ '_dmarc.example.com': policy('p=none') }, spf, 'example.com', 'temperror none'],
    // The controls: what is not aligned, or strictly not, may be unknown for all that.
    [{ '_dmarc.example.com': policy('p=reject') }, far, 'example.com', 'fail none'],
    [{ '_dmarc.example.com': policy('p=reject; aspf=s') }, spf, 'example.com', 'fail none'],
    [{ '_dmarc.example.com': down }, far, 'example.com', 'temperror none'],
    [{ '_dmarc.a.example.com': down }, far, 'a.example.com', 'temperror none'],
    [
      {
        '_dmarc.b.a.example.com': down,
        '_dmarc.a.example.com': down,
        '_dmarc.example.com': policy('p=reject'),
      },
      far,
      'b.a.example.com',
      'temperror reject',
    ],
    [
      { '_dmarc.a.example.com': down, '_dmarc.example.com': policy('p=reject; sp=none') },
      far,
      'a.example.com',
      'temperror none',
    ],
    [
      { '_dmarc.example.com': policy('p=none; np=reject'), 'a.example.com': down },
      far,
      'a.example.com',
      'temperror reject',
    ],
  ];
  for (const [zone, sender, author, expected] of rows) {
    const question = { author: authorOf([parseDomain(author)!]), spf: sender };
    const { result, atStake, disposition } = await evaluate(zone, question);
    assert.equal(`${result} ${atStake}`, expected, JSON.stringify(zone));
    assert.equal(disposition, result === 'fail' ? 'reject' : 'none');
  }
});

test('reports go to plain mailto addresses, ten at most', () => {
  const rows: readonly (readonly [rua: string, addresses: readonly string[]])[] = [
    ['mailto:d@example.com', ['d@example.com']],
    ['MAILTO:d@example.com!10m , mailto:e@x.test', ['d@example.com', 'e@x.test']],
    ['mailto:a%2bb@example.com', ['a+b@example.com']],
    ['mailto:a@b.test?cc=c@d.test', []],
    ['mailto:a@b.test%0d%0aX: y', []],
    ['mailto:a%40b@c.test', []],
    ['mailto:%zz@c.test', []],
    ['mailto:', []],
    ['https://x.test/', []],
    ['a@b.test', []],
    [Array.from({ length: 30 }, (_, at) => `mailto:a${at}@b.test`).join(','), TEN],
  ];
  for (const [rua, addresses] of rows) {
    const record = parseDmarcRecord(`v=DMARC1; p=none; rua=${rua}; ruf=${rua}; fo=1:d`);
    assert.deepEqual(record.aggregateReports, addresses, rua);
    assert.deepEqual(record.failureReports, addresses, rua);
    assert.equal(record.failureOptions, '1:d');
  }
});

const TEN = Array.from({ length: 10 }, (_, at) => `a${at}@b.test`);

test('hostile records are read in linear time', () => {
  const units = [
    'p=reject;',
    ';',
    '=',
    ' ',
    'v=DMARC1;',
    '__proto__=x;',
    'rua=mailto:',
    ',',
    '\t=',
    'a',
  ];
  for (const unit of units) {
    const text = `v=DMARC1;${unit.repeat(Math.ceil(1_000_000 / unit.length))}`;
    const rua = `v=DMARC1;rua=${unit.repeat(Math.ceil(1_000_000 / unit.length))}`;
    const before = process.cpuUsage();
    assert.ok(isDmarcRecord(text));
    parseDmarcRecord(text);
    parseDmarcRecord(rua);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 500_000, `${unit}: ${user} us`);
  }
  assert.equal(isDmarcRecord(`v${' '.repeat(1_000_000)}`), false);
});

test('any record, any names and any answers give a result', async () => {
  const tag = fc.oneof(
    fc.constantFrom(
      'p=none',
      'p=reject',
      'sp=quarantine',
      'np=reject',
      'psd=y',
      'psd=n',
      't=y',
      'adkim=s',
    ),
    fc.constantFrom('aspf=s', 'p=x', 'rua=mailto:a@b.test', 'np=x', 'psd=u', '__proto__=1'),
    fc.string({ maxLength: 8 }),
  );
  const record = fc.array(tag, { maxLength: 6 }).map((tags) => `v=DMARC1; ${tags.join(';')}`);
  const entry = fc.record({
    txt: fc.array(fc.oneof(record, fc.string()), { maxLength: 2 }),
    timeout: fc.boolean(),
  });
  const domain = fc.oneof(
    fc.constantFrom('a.b.test', 'b.test', 'c.b.test', 'test', 'x.a.b.test', 'other.example', ''),
    fc.string({ maxLength: 20 }),
  );
  const identifier = fc.record({ result: fc.constantFrom('pass', 'fail', 'temperror'), domain });
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(entry, entry, entry),
      identifier,
      fc.array(identifier, { maxLength: 4 }),
      async ([own, parent, top], spf, dkim) => {
        const zone = { '_dmarc.a.b.test': own, '_dmarc.b.test': parent, '_dmarc.test': top };
        const author = authorOf([parseDomain('a.b.test')!]);
        const outcome = await evaluate(zone, { author, spf, dkim });
        const same = [spf, ...dkim].some(
          (one) => one.result === 'pass' && one.domain === 'a.b.test',
        );
        if (same) assert.notEqual(outcome.result, 'fail');
        // Never a pass without somebody who passed and has the author's last two labels.
        if (outcome.result === 'pass') {
          const near = [spf, ...dkim].filter((one) => /(?:^|\.)b\.test\.?$/i.test(one.domain));
          const brand = top.txt.some((text) => text.includes('psd=n')) || own.txt.length > 0;
          assert.ok(near.length > 0 || brand);
          assert.ok(outcome.aligned.length > 0);
        }
        if (outcome.result === 'temperror') assert.equal(outcome.disposition, 'none');
        assert.match(JSON.stringify({ ...outcome, policy: undefined }), /^[\x20-\x7e]*$/);
      },
    ),
    { numRuns: 500 },
  );
});
