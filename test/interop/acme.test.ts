/** A real ACME authority (Debian's pebble) gives a real Postern its certificates, both ways. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { testAuthority, testCertificate } from '../world/certificates.ts';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { freePort } from '../world/ports.ts';
import { type Running, startPostern, waitFor } from '../world/postern.ts';
import { ROOT } from '../laws/tree.ts';
import { run, without } from './tools.ts';

const POSTERN = path.join(ROOT, 'bin/postern');
const skip = without('pebble');
const folder = mkdtempSync(path.join(tmpdir(), 'postern-acme-'));

let dns: DnsServer;
let pebble: ChildProcess;
let said = '';
let ports: { readonly acme: number; readonly http: number; readonly https: number };

before(async () => {
  if (skip !== false) return;
  dns = await startDnsServer({
    'mx.here.test': { a: ['127.0.0.1'] },
    'mta-sts.here.test': { a: ['127.0.0.1'] },
  });
  const [acme, management, http, https] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
  ports = { acme: acme ?? 0, http: http ?? 0, https: https ?? 0 };
  const authority = testAuthority();
  const own = testCertificate({ names: ['127.0.0.1'], issuer: authority });
  write('ca.pem', authority.certificate);
  write('cert.pem', own.certificate);
  write('key.pem', own.key);
  const settings = {
    listenAddress: `127.0.0.1:${ports.acme}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: path.join(folder, 'cert.pem'),
    privateKey: path.join(folder, 'key.pem'),
    httpPort: ports.http,
    tlsPort: ports.https,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  write('pebble.json', JSON.stringify({ pebble: settings }));
  const args = ['-config', path.join(folder, 'pebble.json'), '-dnsserver', dns.server, '-strict'];
  // Of good nonces 15 % are refused, as a busy authority may: the client has to bear it. It gives
  // up after five in a row: at a third of them that was one run in seven.
  const env = {
    ...process.env,
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: '15',
    PEBBLE_AUTHZREUSE: '0',
  };
  pebble = spawn('pebble', args, { env });
  for (const stream of [pebble.stdout, pebble.stderr]) {
    stream?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  }
  assert.ok(await waitFor(() => said.includes('Listening on'), 10_000), said);
});

after(async () => {
  pebble?.kill();
  await dns?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('http-01: ordered, put in place live, kept over a restart', { skip }, async (t) => {
  const running = await start('http-01');
  t.after(() => running.remove());
  const first = await issued(running);
  assert.ok(first.checkHost('mx.here.test') !== undefined);
  const acme = path.join(running.folder, 'data/acme');
  for (const file of ['account.key', 'key.pem']) {
    assert.equal(statSync(path.join(acme, file)).mode & 0o777, 0o600, file);
  }
  // The same process, without a restart, on the mail port too.
  assert.match((await served(running, 'submissions')).issuer, /Pebble/);
  // Another domain is another name to certify: at the next look, which a restart brings about.
  await running.stop();
  const flags = [
    '--config',
    path.join(running.folder, 'postern.toml'),
    '--data',
    path.join(running.folder, 'data'),
  ];
  const added = await run(POSTERN, ['domain', 'add', 'here.test', ...flags]);
  assert.equal(added.code, 0, added.output);
  const again = await running.restart();
  try {
    const ordered = await waitFor(() => again.output().includes('acme-certificate'), 30_000);
    assert.ok(ordered, again.output() + said);
    const second = await served(again, 'submissions');
    assert.ok(second.checkHost('mta-sts.here.test') !== undefined);
    assert.equal(again.output().includes('acme-failed'), false);
    await again.stop();
    const orders = said.split('order').length;
    const third = await again.restart();
    assert.ok(await waitFor(() => third.output().includes('ready'), 5_000), third.output());
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await third.stop();
    assert.equal(said.split('order').length, orders, 'a good certificate is not ordered again');
  } finally {
    await again.stop();
  }
});

test(
  'tls-alpn-01: the proof is shown on https_listen, then the policy is served',
  { skip },
  async (t) => {
    const running = await start('tls-alpn-01');
    t.after(() => running.remove());
    try {
      const certificate = await issued(running);
      assert.ok(certificate.checkHost('mx.here.test') !== undefined);
    } finally {
      await running.stop();
    }
  },
);

test(
  'a name that cannot be proven: the reason is told, the server goes on',
  { skip },
  async (t) => {
    const running = await start('http-01', 'acme_names = ["nobody.here.test"]');
    t.after(() => running.remove());
    try {
      const told = await waitFor(() => running.output().includes('acme-failed'), 30_000);
      assert.ok(told, running.output());
      assert.match(running.output(), /acme-invalid/);
      assert.doesNotMatch((await served(running, 'submissions')).issuer, /Pebble/);
    } finally {
      await running.stop();
    }
  },
);

function start(challenge: string, more = ''): Promise<Running> {
  return startPostern({
    config: `
myhostname = "mx.here.test"
inet_interfaces = ["127.0.0.1"]
smtp_listen = ["127.0.0.1:0"]
submission_listen = []
submissions_listen = ["127.0.0.1:0"]
imap_listen = []
imaps_listen = []
pop3_listen = []
pop3s_listen = []
http_listen = ["127.0.0.1:${ports.http}"]
https_listen = ["127.0.0.1:${ports.https}"]
resolver_addresses = ["${dns.server}"]
mynetworks = []
acme_directory = "https://127.0.0.1:${ports.acme}/dir"
acme_terms_agreed = true
acme_contact = "postmaster@here.test"
acme_challenge = "${challenge}"
acme_ca_file = "${path.join(folder, 'ca.pem')}"
${more}
`,
  });
}

async function issued(running: Running): Promise<X509Certificate> {
  const there = await waitFor(() => running.output().includes('acme-certificate'), 30_000);
  assert.ok(there, running.output() + said);
  const file = path.join(running.folder, 'data/acme/cert.pem');
  const certificate = new X509Certificate(readFileSync(file));
  assert.match(certificate.issuer, /Pebble/);
  return certificate;
}

/** The certificate that a listener shows now. */
function served(running: Running, listener: string): Promise<X509Certificate> {
  const { host, port } = running.ready.listeners[listener]!;
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host, port, servername: 'mx.here.test', rejectUnauthorized: false },
      () => {
        const certificate = socket.getPeerX509Certificate();
        socket.destroy();
        if (certificate === undefined) reject(new Error('no certificate'));
        else resolve(certificate);
      },
    );
    socket.on('error', reject);
  });
}

function write(name: string, text: string): void {
  writeFileSync(path.join(folder, name), text, { mode: 0o600 });
}
