/** `postern doctor` beside a running server and a DNS of its own: each trouble with its cure. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Diagnosis } from '../../src/command/doctor/check.ts';
import type { DnsRecord } from '../../src/command/setup/records.ts';
import { run } from '../interop/tools.ts';
import { testCertificate } from '../world/certificates.ts';
import { type DnsServer, startDnsServer, type ZoneEntry } from '../world/dns-server.ts';
import { type Running, startPostern } from '../world/postern.ts';
import { startSink } from '../world/smtp-sink.ts';
import { POSTERN } from '../world/whole-server.ts';

const ADDRESS = '203.0.113.5';
let dns: DnsServer;
let running: Running;
let sink: Awaited<ReturnType<typeof startSink>>;

interface Told {
  readonly healthy: boolean;
  readonly checks: readonly Diagnosis[];
}

before(async () => {
  dns = await startDnsServer({ org: { txt: ['x'], authentic: true } });
  sink = await startSink();
  const identity = testCertificate({ names: ['mail.doc.test'] });
  const { mkdtempSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-doctor-'));
  writeFileSync(path.join(folder, 'cert.pem'), identity.certificate);
  writeFileSync(path.join(folder, 'key.pem'), identity.key, { mode: 0o600 });
  running = await startPostern({
    folder,
    config: [
      'myhostname = "mail.doc.test"',
      'smtpd_tls_cert_file = "cert.pem"',
      'smtpd_tls_key_file = "key.pem"',
      `resolver_addresses = ["${dns.server}"]`,
      `resolver_validating = ["${dns.server}"]`,
      ...['smtp', 'submissions', 'imaps'].map((name) => `${name}_listen = ["127.0.0.1:0"]`),
      ...['submission', 'imap', 'pop3', 'pop3s'].map((name) => `${name}_listen = []`),
    ].join('\n'),
  });
  // The doctor reads the file: it must name the ports that the server got.
  const config = path.join(folder, 'postern.toml');
  const ports = (name: string): number => running.ready.listeners[name]?.port ?? 0;
  const { readFileSync } = await import('node:fs');
  let text = readFileSync(config, 'utf8');
  for (const name of ['smtp', 'submissions', 'imaps']) {
    text = text.replace(
      `${name}_listen = ["127.0.0.1:0"]`,
      `${name}_listen = ["127.0.0.1:${ports(name)}"]`,
    );
  }
  writeFileSync(config, text);
  await command('setup', 'doc.test', '--hostname', 'mail.doc.test', '--address', ADDRESS);
  await publish();
});

after(async () => {
  await running?.stop();
  await dns.close();
  await sink.close();
  running?.remove();
});

function command(...args: string[]) {
  const flags = [
    '--config',
    path.join(running.folder, 'postern.toml'),
    '--data',
    path.join(running.folder, 'data'),
  ];
  return run(POSTERN, [...args, ...flags], {
    env: {
      ...process.env,
      SSL_CERT_FILE: path.join(running.folder, 'cert.pem'),
      NODE_EXTRA_CA_CERTS: path.join(running.folder, 'cert.pem'),
    },
  });
}

/** What setup says is published, word by word. */
async function publish(): Promise<void> {
  const { output } = await command(
    'setup',
    'doc.test',
    '--hostname',
    'mail.doc.test',
    '--address',
    ADDRESS,
    '--json',
  );
  const { records } = JSON.parse(output) as { records: DnsRecord[] };
  const zone = new Map<string, ZoneEntry>([
    ['org', { txt: ['x'], authentic: true }],
    [ADDRESS, { ptr: ['mail.doc.test'] }],
  ]);
  for (const { name, type, value } of records) {
    const before_ = zone.get(name) ?? {};
    const words = value.split(' ');
    const target = (words.at(-1) ?? '').replace(/(.)\.$/, '$1');
    const more: ZoneEntry =
      type === 'MX'
        ? { mx: [[Number(words[0]), target]] }
        : type === 'A'
          ? { a: [value] }
          : type === 'TXT'
            ? { txt: [...(before_.txt ?? []), [value.slice(0, 200), value.slice(200)]] }
            : type === 'SRV'
              ? { srv: [[Number(words[0]), Number(words[1]), Number(words[2]), target]] }
              : type === 'TLSA'
                ? {
                    tlsa: [
                      {
                        usage: 3,
                        selector: 1,
                        matching: 1,
                        data: Buffer.from(words[3] ?? '', 'hex'),
                      },
                    ],
                  }
                : {};
    zone.set(name, { ...before_, ...more });
  }
  dns.zone.clear();
  for (const [name, entry] of zone) dns.zone.set(name, entry);
}

async function doctor(...more: string[]): Promise<Told & { code: number | null }> {
  const args = [
    'doctor',
    '--json',
    '--address',
    ADDRESS,
    '--reach',
    `127.0.0.1:${sink.port}`,
    '--dnsbl',
    'bl.test',
    ...more,
  ];
  const { code, output } = await command(...args);
  return { code, ...(JSON.parse(output) as Told) };
}

function badOf({ checks }: Told): readonly string[] {
  return checks.filter(({ health }) => health === 'bad').map(({ about }) => about);
}

test('a server whose records are published as setup says is well', async () => {
  const told = await doctor();
  assert.deepEqual(
    badOf(told),
    [],
    JSON.stringify(told.checks.filter(({ health }) => health !== 'good')),
  );
  const unknown = told.checks
    .filter(({ health }) => health === 'unknown')
    .map(({ about }) => about);
  // Whether the clock is kept in time depends on the machine that runs the test.
  assert.deepEqual(
    unknown.filter((about) => about !== 'clock'),
    [],
  );
  assert.ok(told.checks.length >= 20, JSON.stringify(told.checks));
});

const troubles: readonly (readonly [
  what: string,
  name: string,
  entry: ZoneEntry | undefined,
  about: string,
  cure: RegExp,
])[] = [
  [
    'no MX',
    'doc.test',
    { txt: ['v=spf1 mx -all'] },
    'records doc.test MX',
    /Publish: doc\.test\. MX 10 mail\.doc\.test\./,
  ],
  [
    'SPF without this server',
    'doc.test',
    { mx: [[10, 'mail.doc.test']], txt: ['v=spf1 -all'] },
    'records doc.test TXT',
    /v=spf1 mx -all/,
  ],
  ['no DMARC', '_dmarc.doc.test', undefined, 'records _dmarc.doc.test TXT', /v=DMARC1/],
  ['no name for the address', ADDRESS, undefined, `names ${ADDRESS}`, /PTR record/],
  [
    'another name for the address',
    ADDRESS,
    { ptr: ['other.test'] },
    `names ${ADDRESS}`,
    /PTR record/,
  ],
  [
    'a listed address',
    '5.113.0.203.bl.test',
    { a: ['127.0.0.2'] },
    `blocklists ${ADDRESS} bl.test`,
    /Look 203/,
  ],
  ['a resolver that does not validate', 'org', { txt: ['x'] }, 'resolver', /DNSSEC/],
];
for (const [what, name, entry, about, cure] of troubles) {
  test(`${what} is bad, and the cure is told`, async () => {
    await publish();
    if (entry === undefined) dns.zone.delete(name);
    else dns.zone.set(name, entry);
    const told = await doctor();
    assert.ok(badOf(told).includes(about), JSON.stringify(told.checks.slice(0, 12)));
    assert.equal(told.code, 1);
    assert.equal(told.healthy, false);
    assert.match(told.checks.find((one) => one.about === about)?.cure ?? '', cure);
    await publish();
  });
}

test('a host outside that does not answer: port 25 is closed', async () => {
  const told = await doctor('--reach', '127.0.0.1:9');
  assert.ok(badOf(told).some((about) => about.startsWith('outbound')));
});

test('without a host to try and lists to ask, that is unknown, never good', async () => {
  const { output, code } = await command('doctor', '--json', '--address', ADDRESS);
  const told = JSON.parse(output) as Told;
  const health = (about: string) => told.checks.find((one) => one.about === about)?.health;
  assert.equal(health('outbound'), 'unknown');
  assert.equal(health('blocklists'), 'unknown');
  assert.equal(code, 2);
});
