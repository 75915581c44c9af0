/** DNS posture: each check on a zone that shows it and on its cured twin; silence is never a pass. */

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';
import type { Lookup, Resolver } from '#base/world.ts';
import { noteShown } from '#test/world/shown.ts';
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
    ['posture.spf-missing', spf('nothing of SPF')],
    [
      'posture.spf-several',
      { 'd.test': { ...GOOD['d.test'], txt: ['v=spf1 -all', 'v=spf1 mx -all'] } },
    ],
    ['posture.spf-syntax', spf('v=spf1 ip4:1.2.3 -all')],
    [
      'posture.spf-lookups',
      spf(
        `v=spf1 ${Object.keys(included)
          .map((name) => `include:${name}`)
          .join(' ')} -all`,
        included,
      ),
    ],
    ['posture.spf-voids', spf('v=spf1 a:v1.test a:v2.test mx:v3.test -all')],
    [
      'posture.spf-loop',
      spf('v=spf1 include:o.test -all', { 'o.test': { txt: ['v=spf1 include:d.test'] } }),
    ],
    ['posture.spf-include', spf('v=spf1 include:gone.test -all')],
    ['posture.spf-pass-all', spf('v=spf1 +all')],
    ['posture.spf-pass-all', spf('v=spf1 ip4:0.0.0.0/0 -all')],
    ['posture.spf-open-end', spf('v=spf1 mx ?all')],
    ['posture.spf-open-end', spf('v=spf1 mx')],
    ['posture.spf-ptr', spf('v=spf1 ptr -all')],
    ['posture.spf-wide', spf('v=spf1 ip4:8.0.0.0/8 -all')],
    ['posture.spf-private', spf('v=spf1 ip4:192.168.0.0/16 -all')],
    [
      'posture.spf-redirect-ignored',
      spf('v=spf1 -all redirect=o.test', { 'o.test': { txt: ['v=spf1'] } }),
    ],
    ['posture.dmarc-missing', { '_dmarc.d.test': empty }],
    [
      'posture.dmarc-several',
      { '_dmarc.d.test': { txt: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] } },
    ],
    ['posture.dmarc-unusable', dmarc('v=DMARC1; p=rejct')],
    ['posture.dmarc-none', dmarc('v=DMARC1; p=none; rua=mailto:d@d.test')],
    ['posture.dmarc-subdomains', dmarc('v=DMARC1; p=reject; sp=none; rua=mailto:d@d.test')],
    ['posture.dmarc-testing', dmarc('v=DMARC1; p=reject; t=y; rua=mailto:d@d.test')],
    ['posture.dmarc-removed-tags', dmarc('v=DMARC1; p=reject; pct=50; rua=mailto:d@d.test')],
    ['posture.dmarc-no-reports', dmarc('v=DMARC1; p=reject')],
    ['posture.dmarc-reports-lost', dmarc('v=DMARC1; p=reject; rua=mailto:x@other.test')],
    [
      'posture.dmarc-reports-lost',
      dmarc('v=DMARC1; p=reject; rua=mailto:x@null.test', {
        'd.test._report._dmarc.null.test': { txt: ['v=DMARC1'] },
        'null.test': { mx: ['.'] },
      }),
    ],
    [
      'posture.dmarc-misplaced',
      { 'd.test': { ...GOOD['d.test'], txt: ['v=spf1 -all', 'v=DMARC1; p=none'] } },
    ],
    ['posture.dkim-missing', { 's._domainkey.d.test': empty }],
    ['posture.dkim-syntax', dkim('v=DKIM1; p=???')],
    ['posture.dkim-key-broken', dkim(`v=DKIM1; p=${RSA512}`)],
    ['posture.dkim-key-short', dkim(`v=DKIM1; p=${RSA1024}`)],
    ['posture.dkim-revoked', dkim('v=DKIM1; p=')],
    ['posture.dkim-testing', dkim(`v=DKIM1; t=y; p=${RSA2048}`)],
    ['posture.dkim-sha1', dkim(`v=DKIM1; h=sha1; p=${RSA2048}`)],
    ['posture.dkim-wildcard', { 'random._domainkey.d.test': { txt: ['v=DKIM1; p='] } }],
    ['posture.mx-missing', mx([])],
    ['posture.mx-null-mixed', mx(['.', 'mx.d.test'])],
    ['posture.mx-alias', { 'mx.d.test': { ...GOOD['mx.d.test'], alias: 'other.test' } }],
    ['posture.mx-no-address', mx(['gone.d.test'])],
    ['posture.mx-literal', mx(['203.0.113.5'])],
    ['posture.mx-private', { 'mx.d.test': { a: ['10.0.0.1'], aaaa: ['2001:db8::5'] } }],
    ['posture.mx-no-ipv6', { 'mx.d.test': { a: ['203.0.113.5'] } }],
    ['posture.tls-rpt-missing', { '_smtp._tls.d.test': empty }],
    ['posture.tls-rpt-broken', { '_smtp._tls.d.test': { txt: ['v=TLSRPTv1; rua=ftp://x'] } }],
    ['posture.caa-missing', { 'd.test': { ...GOOD['d.test'], caa: [] } }],
    [
      'posture.bimi-broken',
      { 'default._bimi.d.test': { txt: ['v=BIMI1; l=http://d.test/l.svg'] } },
    ],
    ['posture.bimi-broken', dmarc('v=DMARC1; p=none; rua=mailto:d@d.test')],
    ['posture.srv-plain', { '_imap._tcp.d.test': { srv: ['mx.d.test'] } }],
    ['posture.srv-target', { '_imaps._tcp.d.test': { srv: ['gone.d.test'] } }],
    ['posture.dnssec-missing', { 'd.test': { ...GOOD['d.test'], authentic: false } }],
    ['posture.mta-sts-missing', {}],
    ['posture.mta-sts-record', { '_mta-sts.d.test': { txt: ['v=STSv1;'] } }],
    ['posture.mta-sts-unreachable', { '_mta-sts.d.test': { txt: ['v=STSv1; id=1'] } }],
    ['posture.ptr-missing', { '203.0.113.5': empty }],
    ['posture.ptr-unconfirmed', { '203.0.113.5': { ptr: ['other.test'] } }],
    ['posture.dane-usage', { '_25._tcp.mx.d.test': { tlsa: [0], authentic: true } }],
    ['posture.dane-unsigned', { '_25._tcp.mx.d.test': { tlsa: [3] } }],
  ];
  for (const [id, zone] of cases) {
    test(`${id} is found, and not on the twin`, async () => {
      const seen = await foundIn({ ...GOOD, ...zone });
      assert.ok(seen.has(id), [...seen].join(' '));
      if (id !== 'posture.mta-sts-missing') assert.ok(!(await foundIn(GOOD)).has(id));
    });
  }

  test('nothing else is found in the good zone', async () => {
    assert.deepEqual([...(await foundIn(GOOD))], ['posture.mta-sts-missing']);
  });

  test('every check about records has a zone above that shows it', () => {
    const shown = new Set(cases.map(([id]) => id));
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
  noteShown(all.map((one) => ({ ...one, id: one.check.id })));
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
