/** Two Posterns and their policies: MTA-STS served, found, kept over a restart, told by trace. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type ConnectionOptions } from 'node:tls';
import { run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { testAuthority, testCertificate } from '../world/certificates.ts';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { LineClient } from '../world/line-client.ts';
import { freePort } from '../world/ports.ts';
import { type Running, startPostern, waitFor } from '../world/postern.ts';

const POSTERN = path.join(ROOT, 'bin/postern');
const PASSWORD = 'correct horse battery';
const folder = mkdtempSync(path.join(tmpdir(), 'postern-tls-'));
const authority = testAuthority();
const good = testCertificate({ names: ['mx.right.test', 'mta-sts.right.test'], issuer: authority });
const wrong = testCertificate({ names: ['mx.wrong.test'], issuer: authority });

let dns: DnsServer;
let ports: { readonly smtp: number; readonly https: number };
let left: Running;
let right: Running;

before(async () => {
  const hosts = ['127.0.0.2', '127.0.0.3'];
  ports = { smtp: await freePort(...hosts), https: await freePort(...hosts) };
  dns = await startDnsServer({
    'right.test': { mx: [[10, 'mx.right.test']] },
    'mx.right.test': { a: ['127.0.0.3'] },
    '_mta-sts.right.test': { txt: ['v=STSv1; id=1'] },
    'mta-sts.right.test': { a: ['127.0.0.3'] },
  });
  writeFileSync(path.join(folder, 'ca.pem'), authority.certificate);
  shown(good);
  right = await server(
    'right.test',
    '127.0.0.3',
    `
smtpd_tls_cert_file = "${path.join(folder, 'cert.pem')}"
smtpd_tls_key_file = "${path.join(folder, 'key.pem')}"
https_listen = ["127.0.0.3:${ports.https}"]
mta_sts_mode = "enforce"
`,
  );
  left = await server(
    'left.test',
    '127.0.0.2',
    `
smtp_tls_ca_file = "${path.join(folder, 'ca.pem')}"
smtp_tls_mta_sts_port = ${ports.https}
tls_report_from = "tls@left.test"
minimal_backoff_time = "1s"
maximal_backoff_time = "2s"
`,
  );
});

after(async () => {
  for (const one of [left, right]) {
    await one?.stop();
    one?.remove();
  }
  await dns.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the policy of local domains is served, and of nobody else (RFC 8461 3.2)', async () => {
  const policy = await get('mta-sts.right.test', '/.well-known/mta-sts.txt');
  assert.deepEqual([policy.status, policy.type], [200, 'text/plain; charset=utf-8']);
  assert.equal(
    policy.body,
    'version: STSv1\r\nmode: enforce\r\nmx: mx.right.test\r\nmax_age: 604800\r\n',
  );
  assert.equal((await get('mta-sts.right.test', '/')).status, 404);
  assert.equal((await get('mta-sts.other.test', '/.well-known/mta-sts.txt')).status, 404);
  assert.equal((await get('right.test', '/.well-known/mta-sts.txt')).status, 404);
  assert.match(right.output(), /v=STSv1; id=[0-9a-f]{20};/);
});

test('mail goes by the policy, and the trace says which', async () => {
  const id = await submit('by the policy');
  assert.ok(await waitFor(async () => (await trace(id)).includes('250'), 10_000));
  const story = await trace(id);
  assert.match(story, /MTA-STS enforce 1/);
  assert.match(story, /fetched/);
  assert.match(story, /question: TXT _mta-sts\.right\.test/);
  assert.match(story, /certificate verified/);
});

test('TLS 1.2 and up on port 25, and no session is taken up again (tickets)', async () => {
  const { port } = right.ready.listeners['smtp']!;
  const ancient = {
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ciphers: 'ALL:@SECLEVEL=0',
  } as const;
  const old = await handshake(port, ancient);
  assert.match(old.error ?? '', /protocol|version|alert/i);
  const twelve = await handshake(port, { maxVersion: 'TLSv1.2' });
  assert.deepEqual([twelve.protocol, twelve.ticket], ['TLSv1.2', false]);
  // The library cannot keep TLS 1.3 from handing out names of sessions, but none of them is kept.
  const first = await handshake(port, {});
  assert.equal(first.protocol, 'TLSv1.3');
  const again = await handshake(
    port,
    first.session === undefined ? {} : { session: first.session },
  );
  assert.deepEqual([again.protocol, again.reused], ['TLSv1.3', false]);
});

test('a policy is kept over a restart: with its host gone, a wrong certificate waits', async () => {
  await left.stop();
  const kept = path.join(left.folder, 'data/mta-sts.json');
  assert.match(readFileSync(kept, 'utf8'), /"enforce"/);
  assert.equal(statSync(kept).mode & 0o777, 0o600);
  dns.zone.set('mta-sts.right.test', { a: [] });
  dns.zone.set('_mta-sts.right.test', { fault: 'servfail' });
  // The other server gets a wrong certificate, live: nothing is restarted there.
  shown(wrong);
  right.child.kill('SIGHUP');
  assert.ok(await waitFor(() => right.output().includes('certificates-reloaded'), 10_000));
  left = await left.restart();
  const id = await submit('by the kept policy');
  const waits = async (): Promise<boolean> => (await trace(id)).includes('certificate is not for');
  assert.ok(await waitFor(waits, 10_000), await trace(id));
  const story = await trace(id);
  assert.match(story, /MTA-STS enforce 1/);
  assert.match(story, /kept/);
  assert.doesNotMatch(story, /\n\S+ +delivered/);
  // The control: the right certificate again, and the same message goes.
  shown(good);
  right.child.kill('SIGHUP');
  assert.ok(await waitFor(async () => /certificate verified/.test(await trace(id)), 20_000));
});

function server(domain: string, host: string, more: string): Promise<Running> {
  const config = `
myhostname = "mx.${domain}"
inet_interfaces = ["${host}"]
smtp_listen = ["${host}:${ports.smtp}"]
submission_listen = []
submissions_listen = ["${host}:0"]
imap_listen = []
imaps_listen = []
pop3_listen = []
pop3s_listen = []
smtp_port = ${ports.smtp}
smtp_allow_loopback_mx = true
resolver_addresses = ["${dns.server}"]
mynetworks = []
smtpd_helo_restrictions = []
smtpd_sender_restrictions = []
${more}`;
  return startPostern({ config }).then(async (running) => {
    const flags = flagsOf(running);
    const made = await run(POSTERN, ['domain', 'add', domain, ...flags]);
    assert.equal(made.code, 0, made.output);
    const input = `${PASSWORD}\n`;
    const account = ['account', 'add', `ann@${domain}`, '--password-stdin', ...flags];
    const added = await run(POSTERN, account, { input });
    assert.equal(added.code, 0, added.output);
    return running;
  });
}

function flagsOf({ folder: home }: Running): string[] {
  return ['--config', path.join(home, 'postern.toml'), '--data', path.join(home, 'data')];
}

/** Puts a certificate where the other server reads it. */
function shown({ certificate, key }: typeof good): void {
  writeFileSync(path.join(folder, 'key.pem'), key, { mode: 0o600 });
  writeFileSync(path.join(folder, 'cert.pem'), certificate);
}

async function submit(subject: string): Promise<string> {
  const { host, port } = left.ready.listeners['submissions']!;
  const client = await LineClient.connectTls(port, host);
  await client.reply();
  await client.ask('EHLO desk.test');
  const plain = Buffer.from(`\0ann@left.test\0${PASSWORD}`).toString('base64');
  assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^235/);
  assert.match(await client.ask('MAIL FROM:<ann@left.test>'), /^250/);
  assert.match(await client.ask('RCPT TO:<ann@right.test>'), /^250/);
  assert.match(await client.ask('DATA'), /^354/);
  const answer = await client.ask(`From: ann@left.test\r\nSubject: ${subject}\r\n\r\nhello\r\n.`);
  client.close();
  assert.match(answer, /^250/);
  return /[0-9A-Z]{12,}/.exec(answer)?.[0] ?? '';
}

async function trace(id: string): Promise<string> {
  return (await run(POSTERN, ['trace', id, ...flagsOf(left)])).output;
}

function get(host: string, where: string): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.3',
      port: ports.https,
      path: where,
      servername: 'mta-sts.right.test',
      headers: { host },
      ca: authority.certificate,
    };
    const asked = request(options, (response) => {
      let body = '';
      response.on('data', (bytes: Buffer) => (body += bytes.toString()));
      response.on('end', () => {
        const type = response.headers['content-type'] ?? '';
        resolve({ status: response.statusCode ?? 0, type, body });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

interface Shaken {
  readonly protocol: string;
  /** A ticket of TLS 1.2. */
  readonly ticket: boolean;
  readonly session: Buffer | undefined;
  readonly reused: boolean;
  readonly error?: string;
}

/** STARTTLS by hand, and a moment to see what comes behind it. */
async function handshake(port: number, options: ConnectionOptions): Promise<Shaken> {
  const clear = createConnection({ host: '127.0.0.3', port });
  for (const line of [undefined, 'EHLO x\r\n', 'STARTTLS\r\n']) {
    if (line !== undefined) clear.write(line);
    await new Promise((resolve) => clear.once('data', resolve));
  }
  return new Promise((resolve) => {
    let session: Buffer | undefined;
    const socket = connect({ socket: clear, rejectUnauthorized: false, ...options }, () => {
      socket.write('NOOP\r\n');
      socket.once('data', () => {
        const protocol = socket.getProtocol() ?? '';
        const ticket = protocol === 'TLSv1.2' && socket.getTLSTicket() !== undefined;
        setTimeout(() => {
          const reused = socket.isSessionReused();
          socket.destroy();
          resolve({ protocol, ticket, session, reused });
        }, 50);
      });
    });
    socket.on('session', (one) => (session = one));
    socket.on('error', ({ message: error }) => {
      resolve({ protocol: '', ticket: false, session, reused: false, error });
    });
  });
}
