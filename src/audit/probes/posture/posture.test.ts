/** DNS posture: each check on a zone that shows it and on its cured twin; silence is never a pass. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';
import type { Lookup, Resolver } from '#base/world.ts';
import type { Outcome } from '../../finding.ts';
import type { DomainContext, DomainProbe, HostContext, HostProbe } from '../../probe.ts';
import * as probes from './index.ts';

interface Name {
  readonly mx?: readonly string[];
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly txt?: readonly string[];
  readonly ptr?: readonly string[];
  readonly srv?: readonly string[];
  readonly caa?: readonly string[];
  readonly tlsa?: readonly number[];
  readonly alias?: string;
  readonly authentic?: boolean;
  readonly fails?: boolean;
}
type Zone = Readonly<Record<string, Name>>;

function rsa(bits: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}
const RSA512 = rsa(512);
const RSA1024 = rsa(1_024);
const RSA2048 = rsa(2_048);

/** A domain about which there is nothing to say. */
const GOOD: Zone = {
  'd.test': { mx: ['mx.d.test'], txt: ['v=spf1 mx -all'], caa: ['ca.test'], authentic: true },
  'mx.d.test': { a: ['203.0.113.5'], aaaa: ['2001:db8::5'], authentic: true },
  '203.0.113.5': { ptr: ['mx.d.test'] },
  '_dmarc.d.test': { txt: ['v=DMARC1; p=reject; rua=mailto:d@d.test'] },
  's._domainkey.d.test': { txt: [`v=DKIM1; k=rsa; p=${RSA2048}`] },
  '_smtp._tls.d.test': { txt: ['v=TLSRPTv1; rua=mailto:t@d.test'] },
  '_imaps._tcp.d.test': { srv: ['mx.d.test'] },
  '_25._tcp.mx.d.test': { tlsa: [3], authentic: true },
  'default._bimi.d.test': { txt: ['v=BIMI1; l=https://d.test/l.svg'] },
  org: { txt: ['x'], authentic: true },
};

const spf = (record: string, more: Zone = {}): Zone => ({
  'd.test': { ...GOOD['d.test'], txt: [record] },
  ...more,
});
const dmarc = (record: string, more: Zone = {}): Zone => ({
  '_dmarc.d.test': { txt: [record] },
  ...more,
});
const dkim = (record: string): Zone => ({ 's._domainkey.d.test': { txt: [record] } });
const mx = (hosts: readonly string[], more: Zone = {}): Zone => ({
  'd.test': { ...GOOD['d.test'], mx: hosts },
  ...more,
});
const included = Object.fromEntries(
  Array.from({ length: 11 }, (_, at) => [`i${at}.test`, { txt: ['v=spf1 -all'] }]),
);
const empty: Name = {};

suite('DNS posture', () => {
  /** What is laid over the good zone. */
  const cases: readonly (readonly [id: string, zone: Zone])[] = [
    ['spf-missing', spf('nothing of SPF')],
    ['spf-several', { 'd.test': { ...GOOD['d.test'], txt: ['v=spf1 -all', 'v=spf1 mx -all'] } }],
    ['spf-syntax', spf('v=spf1 ip4:1.2.3 -all')],
    [
      'spf-lookups',
      spf(
        `v=spf1 ${Object.keys(included)
          .map((name) => `include:${name}`)
          .join(' ')} -all`,
        included,
      ),
    ],
    ['spf-voids', spf('v=spf1 a:v1.test a:v2.test mx:v3.test -all')],
    [
      'spf-loop',
      spf('v=spf1 include:o.test -all', { 'o.test': { txt: ['v=spf1 include:d.test'] } }),
    ],
    ['spf-include', spf('v=spf1 include:gone.test -all')],
    ['spf-pass-all', spf('v=spf1 +all')],
    ['spf-pass-all', spf('v=spf1 ip4:0.0.0.0/0 -all')],
    ['spf-open-end', spf('v=spf1 mx ?all')],
    ['spf-open-end', spf('v=spf1 mx')],
    ['spf-ptr', spf('v=spf1 ptr -all')],
    ['spf-wide', spf('v=spf1 ip4:8.0.0.0/8 -all')],
    ['spf-private', spf('v=spf1 ip4:192.168.0.0/16 -all')],
    ['spf-redirect-ignored', spf('v=spf1 -all redirect=o.test', { 'o.test': { txt: ['v=spf1'] } })],
    ['dmarc-missing', { '_dmarc.d.test': empty }],
    ['dmarc-several', { '_dmarc.d.test': { txt: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] } }],
    ['dmarc-unusable', dmarc('v=DMARC1; p=rejct')],
    ['dmarc-none', dmarc('v=DMARC1; p=none; rua=mailto:d@d.test')],
    ['dmarc-subdomains', dmarc('v=DMARC1; p=reject; sp=none; rua=mailto:d@d.test')],
    ['dmarc-testing', dmarc('v=DMARC1; p=reject; t=y; rua=mailto:d@d.test')],
    ['dmarc-removed-tags', dmarc('v=DMARC1; p=reject; pct=50; rua=mailto:d@d.test')],
    ['dmarc-no-reports', dmarc('v=DMARC1; p=reject')],
    ['dmarc-reports-lost', dmarc('v=DMARC1; p=reject; rua=mailto:x@other.test')],
    [
      'dmarc-reports-lost',
      dmarc('v=DMARC1; p=reject; rua=mailto:x@null.test', {
        'd.test._report._dmarc.null.test': { txt: ['v=DMARC1'] },
        'null.test': { mx: ['.'] },
      }),
    ],
    [
      'dmarc-misplaced',
      { 'd.test': { ...GOOD['d.test'], txt: ['v=spf1 -all', 'v=DMARC1; p=none'] } },
    ],
    ['dkim-missing', { 's._domainkey.d.test': empty }],
    ['dkim-syntax', dkim('v=DKIM1; p=???')],
    ['dkim-key-broken', dkim(`v=DKIM1; p=${RSA512}`)],
    ['dkim-key-short', dkim(`v=DKIM1; p=${RSA1024}`)],
    ['dkim-revoked', dkim('v=DKIM1; p=')],
    ['dkim-testing', dkim(`v=DKIM1; t=y; p=${RSA2048}`)],
    ['dkim-sha1', dkim(`v=DKIM1; h=sha1; p=${RSA2048}`)],
    ['dkim-wildcard', { 'random._domainkey.d.test': { txt: ['v=DKIM1; p='] } }],
    ['mx-missing', mx([])],
    ['mx-null-mixed', mx(['.', 'mx.d.test'])],
    ['mx-alias', { 'mx.d.test': { ...GOOD['mx.d.test'], alias: 'other.test' } }],
    ['mx-no-address', mx(['gone.d.test'])],
    ['mx-literal', mx(['203.0.113.5'])],
    ['mx-private', { 'mx.d.test': { a: ['10.0.0.1'], aaaa: ['2001:db8::5'] } }],
    ['mx-no-ipv6', { 'mx.d.test': { a: ['203.0.113.5'] } }],
    ['tls-rpt-missing', { '_smtp._tls.d.test': empty }],
    ['tls-rpt-broken', { '_smtp._tls.d.test': { txt: ['v=TLSRPTv1; rua=ftp://x'] } }],
    ['caa-missing', { 'd.test': { ...GOOD['d.test'], caa: [] } }],
    ['bimi-broken', { 'default._bimi.d.test': { txt: ['v=BIMI1; l=http://d.test/l.svg'] } }],
    ['bimi-broken', dmarc('v=DMARC1; p=none; rua=mailto:d@d.test')],
    ['srv-plain', { '_imap._tcp.d.test': { srv: ['mx.d.test'] } }],
    ['srv-target', { '_imaps._tcp.d.test': { srv: ['gone.d.test'] } }],
    ['dnssec-missing', { 'd.test': { ...GOOD['d.test'], authentic: false } }],
    ['mta-sts-missing', {}],
    ['mta-sts-record', { '_mta-sts.d.test': { txt: ['v=STSv1;'] } }],
    ['mta-sts-unreachable', { '_mta-sts.d.test': { txt: ['v=STSv1; id=1'] } }],
    ['ptr-missing', { '203.0.113.5': empty }],
    ['ptr-unconfirmed', { '203.0.113.5': { ptr: ['other.test'] } }],
    ['dane-usage', { '_25._tcp.mx.d.test': { tlsa: [0], authentic: true } }],
    ['dane-unsigned', { '_25._tcp.mx.d.test': { tlsa: [3] } }],
  ];
  for (const [id, zone] of cases) {
    test(`${id} is found, and not on the twin`, async () => {
      const seen = await foundIn({ ...GOOD, ...zone });
      assert.ok(seen.has(`posture.${id}`), [...seen].join(' '));
      if (id !== 'mta-sts-missing') assert.ok(!(await foundIn(GOOD)).has(`posture.${id}`));
    });
  }

  test('nothing else is found in the good zone', async () => {
    assert.deepEqual([...(await foundIn(GOOD))], ['posture.mta-sts-missing']);
  });

  test('every check about records has a zone above that shows it', () => {
    const shown = new Set(cases.map(([id]) => `posture.${id}`));
    // Those that need the policy itself: mta-sts.test.ts.
    const policy = /mta-sts-(?:policy|mx|testing|short)$/;
    const all = Object.values(probes).flatMap(({ checks }) => checks.map(({ id }) => id as string));
    assert.deepEqual(
      all.filter((id) => !shown.has(id) && !policy.test(id)),
      [],
    );
  });

  test('a DNS that fails is inconclusive, never a pass', async () => {
    const failing: Zone = Object.fromEntries(
      Object.entries(GOOD).map(([name, entry]) => [name, { ...entry, fails: true }]),
    );
    for (const outcome of await outcomes(failing)) {
      const fine = outcome.confidence === 'inconclusive' || outcome.details['applicable'] === false;
      // What no question of the zone could tell: names that are not in it.
      const other = /mta-sts|wildcard|srv-plain/.test(outcome.check.id);
      assert.ok(fine || other, `${outcome.check.id} ${outcome.confidence}`);
    }
  });

  test('circles and chains of includes end', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [
        `c${at}.test`,
        { txt: [`v=spf1 include:c${at + 1}.test include:c${(at * 7) % 200}.test -all`] },
      ]),
    );
    const questions: string[] = [];
    await outcomes({ ...GOOD, ...spf('v=spf1 include:c0.test -all', many) }, questions);
    assert.ok(questions.length < 400, `${questions.length} questions`);
  });
});

async function foundIn(zone: Zone): Promise<ReadonlySet<string>> {
  const all = await outcomes(zone);
  return new Set(
    all.filter(({ confidence }) => confidence === 'confirmed').map(({ check }) => check.id),
  );
}

async function outcomes(zone: Zone, questions: string[] = []): Promise<readonly Outcome[]> {
  const resolver = resolverOf(zone, questions);
  const all: Outcome[] = [];
  const common = {
    resolver,
    world: { clock: { now: () => 0, elapsed: () => 0, after: () => ({ cancel: () => {} }) } },
    options: { selectors: ['s'], replyMs: 100 },
    token: () => 'random',
    tell: (outcome: Outcome) => void all.push(outcome),
  };
  for (const probe of Object.values(probes) as readonly (DomainProbe | HostProbe)[]) {
    if (probe.scope === 'domain') {
      await probe.run({ ...common, domain: 'd.test' } as unknown as DomainContext);
    } else {
      const host = { host: 'mx.d.test', address: '203.0.113.5' };
      await probe.run({ ...common, ...host } as unknown as HostContext);
    }
  }
  return all;
}

function resolverOf(zone: Zone, questions: string[]): Resolver {
  const ask = async <T>(type: keyof Name, name: string, read: (entry: Name) => readonly T[]) => {
    questions.push(`${type} ${name}`);
    const entry = zone[name];
    if (entry?.fails === true) return { kind: 'failed', reason: 'SERVFAIL' } as const;
    const authentic = entry?.authentic ?? false;
    const records = entry === undefined ? [] : read(entry);
    if (records.length === 0) return { kind: 'none', why: 'nodata', authentic } as const;
    const alias = entry?.alias === undefined ? {} : { canonical: entry.alias };
    return { kind: 'found', records, ttlSeconds: 60, authentic, ...alias } as Lookup<T>;
  };
  return {
    mx: (name) =>
      ask('mx', name, ({ mx: hosts = [] }) =>
        hosts.map((exchange) => ({ preference: 1, exchange })),
      ),
    a: (name) => ask('a', name, ({ a = [] }) => a),
    aaaa: (name) => ask('aaaa', name, ({ aaaa = [] }) => aaaa),
    txt: (name) => ask('txt', name, ({ txt = [] }) => txt),
    ptr: (name) => ask('ptr', name, ({ ptr = [] }) => ptr),
    srv: (name) =>
      ask('srv', name, ({ srv = [] }) =>
        srv.map((target) => ({ priority: 0, weight: 0, port: 993, target })),
      ),
    caa: (name) =>
      ask('caa', name, ({ caa = [] }) =>
        caa.map((value) => ({ critical: false, tag: 'issue', value })),
      ),
    tlsa: (name) =>
      ask('tlsa', name, ({ tlsa = [] }) =>
        tlsa.map((usage) => ({ usage, selector: 1, matching: 1, data: new Uint8Array(32) })),
      ),
  };
}
