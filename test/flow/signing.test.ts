/** Two Posterns that sign and verify: submission, forwarding with a seal, a notice, a rotated key. */

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { LineClient } from '../world/line-client.ts';
import { type Running, startPostern, waitFor } from '../world/postern.ts';

const POSTERN = path.join(ROOT, 'bin/postern');

interface Side {
  readonly running: Running;
  readonly domain: string;
  readonly user: string;
}

let dns: DnsServer;
let left: Side;
let right: Side;

before(async () => {
  const port = await freePort();
  dns = await startDnsServer({
    'left.test': { mx: [[10, 'mx.left.test']], txt: ['v=spf1 ip4:127.0.0.0/8 -all'] },
    'mx.left.test': { a: ['127.0.0.2'] },
    '_dmarc.left.test': { txt: ['v=DMARC1; p=reject; adkim=s'] },
    'right.test': { mx: [[10, 'mx.right.test']], txt: ['v=spf1 -all'] },
    'mx.right.test': { a: ['127.0.0.3'] },
    '_dmarc.right.test': { txt: ['v=DMARC1; p=reject'] },
  });
  left = await side('left.test', '127.0.0.2', port, 'ann');
  right = await side('right.test', '127.0.0.3', port, 'ben');
  await publish(left, 'create', 'left.test', '--selector', 'one');
  await publish(left, 'create', 'left.test', '--selector', 'ed', '--algorithm', 'ed25519');
  await publish(right, 'create', 'right.test', '--selector', 'r');
  await postern(right, 'alias', 'add', 'away@right.test', 'ann@left.test');
  // The server looks at its keys once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
});

after(async () => {
  for (const one of [left, right]) {
    await one?.running.stop();
    one?.running.remove();
  }
  await dns.close();
});

test('what one signs the other verifies, with both keys, loaded without a restart', async () => {
  const id = await submit(left, 'ben@right.test', 'signed twice');
  const text = await arrives(right, 'signed twice');
  assert.match(text, /^Authentication-Results: mx\.right\.test;\r?\n\tdmarc=pass/m);
  assert.match(text, /dkim=pass header\.d=left\.test header\.s=one header\.a=rsa-sha256/);
  assert.match(text, /dkim=pass header\.d=left\.test header\.s=ed\s+header\.a=ed25519-sha256/);
  assert.match(text, /h=From:From:To:To:Cc:Subject:Subject:Date:Date:/);
  const story = await trace(left, id);
  assert.match(story, /signed:\n.*domain left\.test, selector one, algorithm rsa-sha256/);
  const evidence = await trace(right, 'ann@left.test');
  assert.match(evidence, /name: one\._domainkey\.left\.test/);
  assert.match(evidence, /key bits: 2048/);
});

test('a large message is signed while it comes in', async () => {
  const body = `${'a line of seventy octets, which comes again and again and again ....'}\r\n`;
  await submit(left, 'ben@right.test', 'signed and large', body.repeat(4_000));
  const text = await arrives(right, 'signed and large');
  assert.match(text, /dmarc=pass\s+\(aligned by dkim of left\.test/);
});

test('text without a header is signed as the message that became of it', async () => {
  await submit(left, 'ben@right.test', undefined, 'only text, no header\r\n');
  const text = await arrives(right, 'only text, no header');
  assert.match(text, /dmarc=pass\s+\(aligned by dkim of left\.test/);
});

test('a forwarded message is sealed over what we found, and its signature survives', async () => {
  const key = testKey('rsa-sha256', 'joe.test', 'j', 2_048);
  dns.zone.set('j._domainkey.joe.test', { txt: [key.record.match(/.{1,250}/g) ?? []] });
  dns.zone.set('_dmarc.joe.test', { txt: ['v=DMARC1; p=reject'] });
  dns.zone.set('joe.test', { txt: ['v=spf1 ip4:192.0.2.1 -all'] });
  const plain = 'From: joe@joe.test\r\nSubject: from afar\r\n\r\nhello\r\n';
  const message = signed(plain, key, { atMs: Date.now() });
  assert.match(await stranger('joe@joe.test', 'away@right.test', message), /^250/);
  const text = await arrives(left, 'from afar');
  assert.match(text, /^ARC-Seal: i=1; a=rsa-sha256; d=right\.test; s=r;/m);
  assert.match(text, /^ARC-Authentication-Results: i=1; mx\.right\.test; dmarc=pass/m);
  const ours = /^Authentication-Results: mx\.left\.test;.*(?:\n[ \t].*)*/m.exec(text)?.[0] ?? '';
  assert.match(ours, /dmarc=pass\s+\(aligned by dkim of joe\.test/);
  assert.match(ours, /spf=fail/);
  assert.match(ours, /arc=pass \(i=1, sealed by right\.test\)/);
  // Results of others stay where they are; only those with our name would go.
  assert.match(text, /^Authentication-Results: mx\.right\.test;/m);
  assert.match(await trace(right, 'away@right.test'), /sealed: domain right\.test, selector r/);
});

test('a notice is signed by the key above the name of its host', async () => {
  await submit(left, 'nobody@right.test', 'to nobody');
  const bounce = await arrives(left, 'multipart/report');
  assert.match(bounce, /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=left\.test;/m);
});

test('rotation under way: the old key signs until the new one is published', async () => {
  const [next] = JSON.parse(await postern(left, 'dkim', 'rotate', 'left.test', '--json'));
  await submit(left, 'ben@right.test', 'before the switch');
  assert.match(await arrives(right, 'before the switch'), /header\.s=one/);
  const early = await run(POSTERN, ['dkim', 'rotate', 'left.test', ...flags(left)]);
  assert.match(early.output, /is not in the DNS yet/);
  for (const { name, strings } of [
    next,
    ...JSON.parse(await postern(left, 'dkim', 'record', 'left.test', '--json')),
  ]) {
    dns.zone.set(name, { txt: [strings] });
  }
  const selector = next.name.split('.')[0];
  // The absence that was asked for is remembered for as long as its SOA says.
  await postern(left, 'dkim', 'rotate', 'left.test');
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await submit(left, 'ben@right.test', 'after the switch');
  const text = await arrives(right, 'after the switch');
  const last = text.slice(text.lastIndexOf('* '));
  assert.match(
    text,
    new RegExp(`dkim=pass header\\.d=left\\.test\\s+header\\.s=${selector}`),
    last,
  );
});

test('without keys nothing is signed, and p=reject refuses it: the control', async () => {
  const [one] = (await postern(left, 'dkim', 'list', 'left.test')).match(/p\d{6}\S*/g) ?? [];
  assert.ok(one);
  const states = JSON.parse(await postern(left, 'dkim', 'list', '--json'));
  for (const { selector, state } of states) {
    if (state !== 'retired') await postern(left, 'dkim', 'retire', 'left.test', selector);
  }
  dns.zone.set('left.test', { mx: [[10, 'mx.left.test']], txt: ['v=spf1 -all'], ttl: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await right.running.stop();
  right = { ...right, running: await right.running.restart() };
  await submit(left, 'ben@right.test', 'not signed');
  const bounce = await arrives(left, 'Refused by the DMARC policy of left.test');
  assert.match(bounce, /^Status: 5\.7\.1/m);
});

async function side(domain: string, host: string, port: number, name: string): Promise<Side> {
  const running = await startPostern({
    config: `
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
`,
  });
  const made = { running, domain, user: `${name}@${domain}` };
  await postern(made, 'domain', 'add', domain);
  const args = ['account', 'add', made.user, '--password-stdin', ...flags(made)];
  const added = await run(POSTERN, args, { input: 'correct horse battery\n' });
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

/** Makes a key and puts its record into the DNS. */
async function publish(at: Side, ...words: string[]): Promise<void> {
  const records = JSON.parse(await postern(at, 'dkim', ...words, '--json'));
  for (const { name, strings } of records) dns.zone.set(name, { txt: [strings] });
}

/** Without a subject: the text is all there is, without a header. */
async function submit(
  from: Side,
  to: string,
  subject: string | undefined,
  body = 'hello\r\n',
): Promise<string> {
  const { host, port } = from.running.ready.listeners['submissions']!;
  const client = await LineClient.connectTls(port, host);
  await client.reply();
  await client.ask('EHLO desk.test');
  const plain = Buffer.from(`\0${from.user}\0correct horse battery`).toString('base64');
  assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^235/);
  assert.match(await client.ask(`MAIL FROM:<${from.user}>`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${to}>`), /^250/);
  assert.match(await client.ask('DATA'), /^354/);
  const head = `From: ${from.user}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\n`;
  await client.pour(subject === undefined ? body : head + body);
  const answer = await client.ask('.');
  client.close();
  assert.match(answer, /^250/);
  return /[0-9A-Z]{12,}/.exec(answer)?.[0] ?? '';
}

/** To the right server's port 25, past all others. */
async function stranger(sender: string, recipient: string, message: string): Promise<string> {
  const { host, port } = right.running.ready.listeners['smtp']!;
  const client = await LineClient.connect(port, host);
  await client.reply();
  for (const line of [
    'EHLO mx.joe.test',
    `MAIL FROM:<${sender}>`,
    `RCPT TO:<${recipient}>`,
    'DATA',
  ]) {
    assert.match(await client.ask(line), /^[23]/);
  }
  await client.pour(message);
  const answer = await client.ask('.');
  client.close();
  return answer;
}

/** Waits until a message with the text is in the user's INBOX; returns the whole mailbox. */
async function arrives(at: Side, text: string): Promise<string> {
  let found = '';
  const there = await waitFor(async () => {
    found = await inbox(at);
    return found.includes(text);
  }, 20_000);
  assert.ok(there, `${text} did not arrive: ${found.slice(-3_000)}\n${at.running.output()}`);
  return found;
}

async function inbox(at: Side): Promise<string> {
  const { host, port } = at.running.ready.listeners['imaps']!;
  const client = await LineClient.connectTls(port, host);
  await client.line();
  await client.tagged('a', `LOGIN ${at.user} "correct horse battery"`);
  await client.tagged('b', 'EXAMINE INBOX');
  const lines = await client.tagged('c', 'FETCH 1:* BODY.PEEK[]');
  client.close();
  return lines.join('\n');
}

async function trace(at: Side, key: string): Promise<string> {
  let output = '';
  await waitFor(async () => {
    ({ output } = await run(POSTERN, ['trace', key, ...flags(at)]));
    return !output.startsWith('postern:');
  }, 3_000);
  return output;
}

/** A port that is free on all of 127/8 right now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.2', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
