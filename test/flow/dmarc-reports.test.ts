/** A day of mail between two Posterns: the DMARC report about it arrives, and none about the report. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { LineClient } from '../world/line-client.ts';
import { type Running, startPostern, waitFor } from '../world/postern.ts';
import { atNoon } from '../world/shifted-clock.ts';

const POSTERN = path.join(ROOT, 'bin/postern');
const PASSWORD = 'correct horse battery';

interface Side {
  running: Running;
  readonly domain: string;
  readonly host: string;
}

let dns: DnsServer;
let port: number;
/** Counts and reports; what right.test sends is the day's mail. */
let left: Side;
let right: Side;

before(async () => {
  port = await freePort();
  dns = await startDnsServer({
    'left.test': { mx: [[10, 'mx.left.test']], txt: ['v=spf1 -all'] },
    'mx.left.test': { a: ['127.0.0.2'] },
    '_dmarc.left.test': { txt: ['v=DMARC1; p=reject; rua=mailto:ann@left.test'] },
    'right.test': { mx: [[10, 'mx.right.test']], txt: ['v=spf1 ip4:127.0.0.1 -all'] },
    'mx.right.test': { a: ['127.0.0.3'], txt: ['v=spf1 ip4:127.0.0.1 -all'] },
    '_dmarc.right.test': {
      txt: [
        'v=DMARC1; p=reject; rua=mailto:ann@right.test,mailto:victim@left.test,https://right.test/',
      ],
    },
  });
  left = await side('left.test', '127.0.0.2');
  right = await side('right.test', '127.0.0.3');
  const made = JSON.parse(await postern(left, 'dkim', 'create', 'left.test', '--json'));
  for (const { name, strings } of made) dns.zone.set(name, { txt: [strings] });
});

after(async () => {
  await Promise.allSettled([left, right].map((one) => one?.running.stop()));
  for (const one of [left, right]) one?.running.remove();
  await dns.close();
});

test('yesterday: two messages that pass, one that is forged; then midnight', async () => {
  for (const subject of ['first', 'second']) {
    await submit(right, 'ann@left.test', subject);
    await arrives(left, `Subject: ${subject}`);
  }
  assert.match(await forged('ann@right.test'), /^550 5\.7\.1/);
  for (const one of [right, left]) {
    // The account was made when the server ran already: the first start said that it is missing.
    assert.match(one.running.output(), /report-account-missing/);
    await one.running.stop();
    one.running = await start(one, 0);
    assert.doesNotMatch(one.running.output(), /report-account-missing/);
  }
});

test('the report arrives at the other Postern, and `postern reports` shows it', async () => {
  const text = await arrives(right, 'Subject: Report Domain: right.test');
  assert.match(text, /^Return-Path: <>/m);
  assert.match(text, /^Authentication-Results: mx\.right\.test;\s+dmarc=pass/m);
  assert.match(text, /dkim=pass header\.d=left\.test/);
  const shown = await postern(right, 'reports');
  assert.match(shown, /^DMARC report of left\.test about right\.test \(p=reject\), \d{4}-/);
  const rows = shown.replace(/ +/g, ' ');
  assert.match(rows, /^127\.0\.0\.1 2 pass fail pass right\.test .*right\.test pass/m);
  assert.match(rows, /^127\.0\.0\.66 1 reject fail fail right\.test .*right\.test fail/m);
  const [json] = JSON.parse(await postern(right, 'reports', '--kind', 'dmarc', '--json'));
  assert.equal(json.kind, 'dmarc');
  assert.equal(json.end - json.begin, 86_399);
  assert.equal(json.rows.length, 2);
  // RFC 7489 7.1: another house's address got nothing, for its host does not say that it wants it.
  assert.match(left.running.output(), /victim@left\.test.*dmarc-report-not-wanted/);
  assert.doesNotMatch(await inbox(left), /Report Domain/);
  assert.equal(left.running.output().match(/"dmarc-report-sent"/g)?.length, 1);
});

test('nothing is counted about the report; the control: a letter of the same author is', async () => {
  await right.running.stop();
  assert.doesNotMatch(counts(right), /left\.test/);
  right.running = await start(right, 0);
  await submit(left, 'ann@right.test', 'a letter');
  await arrives(right, 'Subject: a letter');
  await right.running.stop();
  assert.match(counts(right), /left\.test/);
  right.running = await start(right, 1);
  // And so left gets its own report, a day later.
  await arrives(left, 'Subject: Report Domain: left.test');
});

function counts({ running }: Side): string {
  const file = path.join(running.folder, 'data/dmarc-reports.json');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function configuration({ domain, host }: Pick<Side, 'domain' | 'host'>): string {
  return `
myhostname = "mx.${domain}"
inet_interfaces = ["${host}"]
smtp_listen = ["${host}:${port}"]
submission_listen = []
submissions_listen = ["${host}:0"]
imap_listen = []
imaps_listen = ["${host}:0"]
pop3_listen = []
pop3s_listen = []
smtp_port = ${port}
smtp_allow_loopback_mx = true
resolver_addresses = ["${dns.server}"]
mynetworks = []
unverified_clients = []
dmarc_report_from = "reports@${domain}"
report_accounts = ["ann@${domain}"]
minimal_backoff_time = "1s"
maximal_backoff_time = "2s"
`;
}

function start(one: Pick<Side, 'domain' | 'host'> & Partial<Side>, days: number): Promise<Running> {
  const folder = one.running?.folder;
  const config = configuration(one);
  const env = atNoon(days);
  // Start-up is told from service by the clock, and that one is not ours.
  return startPostern({
    config,
    env,
    allowStalls: true,
    ...(folder === undefined ? {} : { folder }),
  });
}

async function side(domain: string, host: string): Promise<Side> {
  const made = { domain, host, running: await start({ domain, host }, -1) };
  await postern(made, 'domain', 'add', domain);
  const added = await run(
    POSTERN,
    ['account', 'add', `ann@${domain}`, '--password-stdin', ...flags(made)],
    { input: `${PASSWORD}\n` },
  );
  assert.equal(added.code, 0, added.output);
  return made;
}

function flags({ running }: Side): string[] {
  const { folder } = running;
  return ['--config', path.join(folder, 'postern.toml'), '--data', path.join(folder, 'data')];
}

async function postern(at: Side, ...words: string[]): Promise<string> {
  const { code, output } = await run(POSTERN, [...words, ...flags(at)]);
  assert.equal(code, 0, output);
  return output;
}

async function submit(from: Side, to: string, subject: string): Promise<void> {
  const place = from.running.ready.listeners['submissions']!;
  const client = await LineClient.connectTls(place.port, place.host);
  await client.reply();
  await client.ask('EHLO desk.test');
  const plain = Buffer.from(`\0ann@${from.domain}\0${PASSWORD}`).toString('base64');
  assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^235/);
  await client.ask(`MAIL FROM:<ann@${from.domain}>`);
  await client.ask(`RCPT TO:<${to}>`);
  await client.ask('DATA');
  const head = `From: ann@${from.domain}\r\nTo: ${to}\r\nSubject: ${subject}\r\n`;
  assert.match(await client.ask(`${head}\r\nhello\r\n.`), /^250/);
  client.close();
}

/** To left's port 25, from an address that may not speak for anybody. */
async function forged(author: string): Promise<string> {
  const client = await LineClient.connect(port, left.host, 30_000, '127.0.0.66');
  await client.reply();
  await client.ask('EHLO mx.evil.test');
  await client.ask(`MAIL FROM:<${author}>`);
  await client.ask('RCPT TO:<ann@left.test>');
  await client.ask('DATA');
  const answer = await client.ask(`From: ${author}\r\nSubject: forged\r\n\r\nhello\r\n.`);
  client.close();
  return answer;
}

/** Waits until a message with the text is in ann's INBOX; returns the whole mailbox. */
async function arrives(at: Side, text: string): Promise<string> {
  let found = '';
  const there = await waitFor(async () => {
    found = await inbox(at);
    return found.includes(text);
  }, 20_000);
  assert.ok(
    there,
    `${text} did not arrive: ${found.slice(-3_000)}\n${left.running.output().slice(-3_000)}`,
  );
  return found;
}

async function inbox(at: Side): Promise<string> {
  const place = at.running.ready.listeners['imaps']!;
  const client = await LineClient.connectTls(place.port, place.host);
  await client.line();
  await client.tagged('a', `LOGIN ann@${at.domain} "${PASSWORD}"`);
  await client.tagged('b', 'EXAMINE INBOX');
  const lines = await client.tagged('c', 'FETCH 1:* BODY.PEEK[]');
  client.close();
  return lines.join('\n');
}

/** A port that is free on all of 127/8 right now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.2', () => {
      const address = server.address() as AddressInfo;
      server.close(() => resolve(address.port));
    });
  });
}
