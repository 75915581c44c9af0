/** Every bad server under every policy: what is delivered, what waits, and what the ledger says. */

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Notebook } from '#base/notebook.ts';
import type { TlsaRecord } from '#base/world.ts';
import type { SecurityOptions } from '#agents/transfer/security/options.ts';
import { systemClock } from '#network/clock.ts';
import { dnsResolver } from '#network/dns/resolver.ts';
import { systemWeb } from '#network/http/client.ts';
import { systemRandom } from '#network/random.ts';
import type { Envelope } from '#store/queue.ts';
import { StsPolicies } from '#trust/mta-sts/policies.ts';
import type { TlsSession } from '#trust/tls-rpt/words.ts';
import { type TestCertificate, testAuthority, testCertificate } from '../world/certificates.ts';
import type { ZoneEntry } from '../world/dns-server.ts';
import { type PolicyHost, policyText, startPolicyHost } from '../world/policy-host.ts';
import { SINK_CAPABILITIES, type SinkOptions } from '../world/smtp-sink.ts';
import { TransferWorld, brief, job } from '../world/transfer-world.ts';

const DAY_MS = 86_400_000;
const authority = testAuthority();
const stranger = testAuthority('Nobody');
const names = ['mx.there.test'];

const good = testCertificate({ names, issuer: authority });
const ended = new Date(Date.now() - DAY_MS);
const begun = new Date(Date.now() - 2 * DAY_MS);
const expired = testCertificate({ names, issuer: authority, notBefore: begun, notAfter: ended });
const misnamed = testCertificate({ names: ['mx.other.test'], issuer: authority });
const untrusted = testCertificate({ names, issuer: stranger });

/** How a host is; `tls`: whether a handshake with it ends well. */
const HOSTS: Readonly<Record<string, { readonly sink: SinkOptions; readonly tls: boolean }>> = {
  good: { sink: { tls: good }, tls: true },
  expired: { sink: { tls: expired }, tls: true },
  misnamed: { sink: { tls: misnamed }, tls: true },
  untrusted: { sink: { tls: untrusted }, tls: true },
  'no STARTTLS': { sink: {}, tls: false },
  'STARTTLS refused': {
    sink: { tls: good, hook: (line) => (line === 'STARTTLS' ? '454 4.7.0 no\r\n' : undefined) },
    tls: false,
  },
  'STARTTLS stripped': {
    sink: {
      tls: good,
      hook: (line, { tls }) => (line.startsWith('EHLO') && !tls ? '250 sink.test\r\n' : undefined),
    },
    tls: false,
  },
  'broken handshake': {
    sink: {
      tls: good,
      hook: (line) =>
        line === 'STARTTLS' ? { raw: '220 go\r\n', end: 'close' as const } : undefined,
    },
    tls: false,
  },
  // Words in clear behind the 220 are an attack, not a weak server: nothing goes there.
  injection: {
    sink: {
      tls: good,
      hook: (line) => (line === 'STARTTLS' ? '220 go\r\n250 sink.test\r\n' : undefined),
    },
    tls: false,
  },
};

type Policy = (cert: TestCertificate | undefined) => {
  readonly zone: Readonly<Record<string, ZoneEntry>>;
  readonly sts?: string;
};

const STS_RECORD = { '_mta-sts.there.test': { txt: ['v=STSv1; id=1'] } };
const tlsa = (...records: TlsaRecord[]): ZoneEntry => ({ tlsa: records, authentic: true });

/** The policies by name; the TLSA name depends on the port, so it is put in later. */
const POLICIES: Readonly<Record<string, Policy>> = {
  none: () => ({ zone: {} }),
  testing: () => ({ zone: STS_RECORD, sts: policyText('testing', ['mx.there.test']) }),
  enforce: () => ({ zone: STS_RECORD, sts: policyText('enforce', ['mx.there.test']) }),
  'enforce, other MX': () => ({ zone: STS_RECORD, sts: policyText('enforce', ['mx1.there.test']) }),
  'DANE-EE right': (cert) => ({ zone: { TLSA: tlsa(record(3, 1, 1, cert ?? good)) } }),
  'DANE-EE wrong': () => ({ zone: { TLSA: tlsa(record(3, 1, 1, testCertificate({ names }))) } }),
  'DANE-TA right': () => ({ zone: { TLSA: tlsa(record(2, 1, 1, authority)) } }),
  'DANE bogus': () => ({ zone: { TLSA: { fault: 'servfail' } } }),
  'DANE unsigned': () => ({
    zone: { TLSA: { ...tlsa(record(3, 1, 1, stranger)), authentic: false } },
  }),
  'DANE unusable': () => ({ zone: { TLSA: tlsa({ ...record(3, 1, 1, good), usage: 1 }) } }),
  'DANE wrong, enforce': () => ({
    zone: { TLSA: tlsa(record(3, 1, 1, stranger)), ...STS_RECORD },
    sts: policyText('enforce', ['mx.there.test']),
  }),
};

const DELIVERED = 'delivered';
const CERTIFICATE = 'deferred 4.7.5';
const NO_TLS = 'deferred 4.7.10';
const LOST = 'deferred 4.4.2';

/** What must come of a host under a policy. */
function expected(policy: string, host: string): string {
  const broken = { 'broken handshake': CERTIFICATE, injection: LOST }[host];
  const offersNone = broken ?? NO_TLS;
  if (host === 'injection' && !['DANE bogus', 'enforce, other MX'].includes(policy)) return LOST;
  const hasTls = HOSTS[host]?.tls === true;
  switch (policy) {
    case 'none':
    case 'testing':
    case 'DANE unsigned':
      return DELIVERED;
    case 'enforce':
    case 'DANE-TA right':
      if (!hasTls) return offersNone;
      return host === 'good' ? DELIVERED : CERTIFICATE;
    case 'DANE-EE right':
    case 'DANE unusable':
      return hasTls ? DELIVERED : offersNone;
    case 'DANE bogus':
    case 'enforce, other MX':
      return CERTIFICATE;
    default:
      return hasTls ? CERTIFICATE : offersNone;
  }
}

/** A word of the reason that the ledger must hold. */
const REASONS: Readonly<Record<string, RegExp>> = {
  'DANE bogus': /TLSA records of mx\.there\.test are not known.*SERVFAIL/,
  'enforce, other MX': /not among the MX hosts of the MTA-STS policy/,
  'DANE-EE wrong': /no TLSA record matches the certificate/,
  'DANE wrong, enforce': /no TLSA record matches the certificate/,
  'DANE-TA right': /ended on|other names|no authority/,
  enforce: /CERT_HAS_EXPIRED|certificate is not for mx\.there\.test|not good: /,
};

let world: TransferWorld;
let policies: PolicyHost;

before(async () => {
  world = await TransferWorld.start();
  const certificate = testCertificate({ names: ['mta-sts.there.test'], issuer: authority });
  policies = await startPolicyHost(certificate);
});

after(async () => {
  await world.close();
  await policies.close();
});

for (const policy of Object.keys(POLICIES)) {
  for (const host of Object.keys(HOSTS)) {
    test(`${policy}, ${host}: ${expected(policy, host)}`, async () => {
      const { out, sessions, messages } = await attempt(policy, host);
      assert.deepEqual(brief(out.recipients), [expected(policy, host)], show(out));
      assert.equal(messages.length, expected(policy, host) === DELIVERED ? 1 : 0);
      const wanted = expected(policy, host) === CERTIFICATE && host !== 'broken handshake';
      if (wanted) assert.match(show(out), REASONS[policy] ?? /./);
      const failed = sessions.filter(({ failure }) => failure !== undefined);
      if (expected(policy, host) !== DELIVERED) assert.ok(failed.length > 0, 'a report says so');
      if (policy === 'testing' && host !== 'good' && host !== 'injection') {
        assert.equal(failed.length, 1, 'testing is told of');
        assert.equal(failed[0]?.policy.type, 'sts');
      }
      if (host === 'good' && expected(policy, host) === DELIVERED && policy !== 'DANE unusable') {
        assert.equal(failed.length, 0, show(out));
        assert.equal(sessions.length, 1);
        assert.equal(messages[0]?.tls, true);
      }
    });
  }
}

test('the control: without DANE and MTA-STS every one of these servers gets the mail', async () => {
  for (const policy of Object.keys(POLICIES)) {
    for (const host of Object.keys(HOSTS).filter((one) => one !== 'injection')) {
      const { out } = await attempt(policy, host, { level: 'may', sts: undefined });
      assert.deepEqual(brief(out.recipients), [DELIVERED], `${policy}, ${host}: ${show(out)}`);
    }
  }
});

test('levels by domain hold whatever is published', async () => {
  const rows = [
    ['enforce', 'misnamed', 'encrypt', DELIVERED],
    ['enforce', 'no STARTTLS', 'none', DELIVERED],
    ['none', 'good', 'verify', DELIVERED],
    ['none', 'misnamed', 'verify', CERTIFICATE],
    ['none', 'good', 'secure', DELIVERED],
    ['none', 'misnamed', 'secure', CERTIFICATE],
    ['none', 'expired', 'secure', CERTIFICATE],
    ['none', 'good', 'dane-only', CERTIFICATE],
    ['DANE-EE right', 'misnamed', 'dane-only', DELIVERED],
  ] as const;
  for (const [policy, host, level, wanted] of rows) {
    const { out } = await attempt(policy, host, { levelMaps: new Map([['.test', level]]) });
    assert.deepEqual(brief(out.recipients), [wanted], `${policy} ${host} ${level}: ${show(out)}`);
  }
});

test('aliases: TLSA records below the name that the MX is an alias of come first', async () => {
  const sink = await world.sink({ tls: misnamed });
  const right = tlsa(record(3, 1, 1, misnamed));
  const wrong = tlsa(record(3, 1, 1, stranger));
  for (const [below, own, wanted] of [
    [right, wrong, DELIVERED],
    [wrong, right, CERTIFICATE],
    [undefined, right, DELIVERED],
  ] as const) {
    world.zone({
      'there.test': { mx: [[10, 'mx.there.test']], authentic: true },
      'mx.there.test': { cname: 'real.there.test', authentic: true },
      'real.there.test': { a: ['127.0.0.1'], authentic: true },
      ...(below === undefined
        ? { [`_${sink.port}._tcp.real.there.test`]: { authentic: true } }
        : { [`_${sink.port}._tcp.real.there.test`]: below }),
      [`_${sink.port}._tcp.mx.there.test`]: own,
    });
    const way = transferTo(sink.port, {});
    assert.deepEqual(brief((await way.send(job(['a@there.test']))).recipients), [wanted]);
  }
});

test('DANE is not asked for where the MX or the address is not authentic', async () => {
  const sink = await world.sink({ tls: good });
  const wrong = { [`_${sink.port}._tcp.mx.there.test`]: tlsa(record(3, 1, 1, stranger)) };
  for (const [mx, address, wanted] of [
    [true, true, CERTIFICATE],
    [false, true, DELIVERED],
    [true, false, DELIVERED],
  ] as const) {
    world.zone({
      'there.test': { mx: [[10, 'mx.there.test']], authentic: mx },
      'mx.there.test': { a: ['127.0.0.1'], authentic: address },
      ...wrong,
    });
    const way = transferTo(sink.port, {});
    assert.deepEqual(brief((await way.send(job(['a@there.test']))).recipients), [wanted]);
  }
});

test('a host outside the policy is passed over, the next one inside gets the mail', async () => {
  const [first, second] = await world.sinks({ tls: good }, { tls: good });
  assert.ok(first !== undefined && second !== undefined);
  policies.answers.set('mta-sts.there.test', { body: policyText('enforce', ['mx.there.test']) });
  world.zone({
    ...STS_RECORD,
    'mta-sts.there.test': { a: ['127.0.0.1'] },
    'there.test': {
      mx: [
        [5, 'evil.test'],
        [10, 'mx.there.test'],
      ],
    },
    'evil.test': { a: ['127.0.0.1'] },
    'mx.there.test': { a: ['127.0.0.2'] },
  });
  const out = await transferTo(first.port, {}).send(job(['a@there.test']));
  assert.deepEqual(brief(out.recipients), [DELIVERED]);
  assert.equal(first.sessions.length, 0, 'nobody connected to it');
  assert.equal(second.messages.length, 1);
  assert.match(show(out), /evil\.test is not among/);
});

const ABLE = { capabilities: [...SINK_CAPABILITIES, 'REQUIRETLS'] };

test('REQUIRETLS: with a server that is vouched for and promises the same, or not at all', async () => {
  const required = { tls: 'required' } as const;
  const rows = [
    ['enforce', 'good', ABLE, required, DELIVERED],
    ['DANE-EE right', 'misnamed', ABLE, required, DELIVERED],
    ['none', 'good', ABLE, required, DELIVERED],
    ['testing', 'good', ABLE, required, DELIVERED],
    ['enforce', 'good', {}, required, 'failed 5.7.30'],
    ['none', 'misnamed', ABLE, required, 'failed 5.7.10'],
    ['testing', 'untrusted', ABLE, required, 'failed 5.7.10'],
    ['enforce', 'expired', ABLE, required, 'failed 5.7.10'],
    ['none', 'no STARTTLS', ABLE, required, 'failed 5.7.10'],
    ['none', 'STARTTLS refused', ABLE, required, 'failed 5.7.10'],
    // RFC 8689 5: a notice shall not be lost for want of it.
    ['none', 'good', {}, { ...required, reversePath: '' }, DELIVERED],
  ] as const;
  for (const [policy, host, sink, envelope, wanted] of rows) {
    const { out, messages } = await attempt(policy, host, {}, { sink, envelope });
    assert.deepEqual(brief(out.recipients), [wanted], `${policy}, ${host}: ${show(out)}`);
    if (wanted !== DELIVERED || sink !== ABLE) continue;
    assert.match(messages[0]?.mail ?? '', / REQUIRETLS\b/);
    assert.equal(messages[0]?.tls, true);
  }
});

test('REQUIRETLS: a name that nobody vouches for is not even connected to', async () => {
  const sink = await world.sink({ tls: good, ...ABLE });
  world.zone({
    'there.test': { mx: [[10, 'mx.there.test']] },
    'mx.there.test': { a: ['127.0.0.1'] },
  });
  const mail = job(['a@there.test']);
  const way = transferTo(sink.port, {});
  const out = await way.send({ ...mail, envelope: { ...mail.envelope, tls: 'required' } });
  assert.deepEqual(brief(out.recipients), ['failed 5.7.10']);
  assert.match(show(out), /neither DNSSEC nor MTA-STS vouches for mx\.there\.test/);
  assert.equal(sink.sessions.length, 0);
  // The control: the same mail without the wish.
  assert.deepEqual(brief((await way.send(mail)).recipients), [DELIVERED]);
});

test('TLS-Required: No: whatever is published, the mail goes, and no report speaks of it', async () => {
  const envelope = { tls: 'optional' } as const;
  for (const policy of Object.keys(POLICIES)) {
    for (const host of Object.keys(HOSTS).filter((one) => one !== 'injection')) {
      const { out, sessions } = await attempt(policy, host, {}, { envelope });
      assert.deepEqual(brief(out.recipients), [DELIVERED], `${policy}, ${host}: ${show(out)}`);
      assert.deepEqual(sessions, []);
    }
  }
});

async function attempt(
  policy: string,
  host: string,
  more: SecurityOptions = {},
  mail: { readonly sink?: SinkOptions; readonly envelope?: Partial<Envelope> } = {},
) {
  const options: SinkOptions = { ...HOSTS[host]?.sink, ...mail.sink };
  const sink = await world.sink(options);
  const { zone, sts } = POLICIES[policy]?.(options.tls) ?? { zone: {} };
  const { TLSA, ...rest } = zone;
  if (sts !== undefined) policies.answers.set('mta-sts.there.test', { body: sts });
  world.zone({
    'there.test': { mx: [[10, 'mx.there.test']], authentic: true },
    'mx.there.test': { a: ['127.0.0.1'], authentic: true },
    'mta-sts.there.test': { a: ['127.0.0.1'] },
    ...rest,
    ...(TLSA === undefined ? {} : { [`_${sink.port}._tcp.mx.there.test`]: TLSA }),
  });
  const sessions: TlsSession[] = [];
  const way = transferTo(sink.port, { counted: (one) => sessions.push(one), ...more });
  const sent = job(['a@there.test']);
  const out = await way.send({ ...sent, envelope: { ...sent.envelope, ...mail.envelope } });
  await way.close();
  await sink.close();
  return { out, sessions, messages: sink.messages };
}

function transferTo(port: number, more: SecurityOptions) {
  const trusted = { servers: [world.dns.server], validating: [world.dns.server], rounds: 1 };
  const resolver = dnsResolver({ clock: systemClock, random: systemRandom, ...trusted });
  const { certificate: authorities } = authority;
  const web = systemWeb({ resolver, authorities, httpsPort: policies.port });
  const notebook: Notebook = { read: () => undefined, write: () => undefined };
  const sts = new StsPolicies({
    resolver,
    web,
    clock: systemClock,
    notebook,
    notKept: (failure) => assert.fail(failure),
  });
  return world.transfer(
    { port, authorities, security: { level: 'dane', sts, ...more } },
    undefined,
    {
      validating: [world.dns.server],
    },
  );
}

function record(
  usage: number,
  selector: number,
  matching: number,
  { certificate }: Pick<TestCertificate, 'certificate'>,
): TlsaRecord {
  const x509 = new X509Certificate(certificate);
  const whole = selector === 0 ? x509.raw : x509.publicKey.export({ type: 'spki', format: 'der' });
  const data = createHash(matching === 1 ? 'sha256' : 'sha512')
    .update(whole)
    .digest();
  return { usage, selector, matching, data };
}

function show(out: unknown): string {
  return JSON.stringify(out);
}
