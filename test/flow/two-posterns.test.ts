/** Two Posterns, two domains, MX records of a DNS server on loopback: mail, a bounce, both traces. */

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { startDnsServer } from '../world/dns-server.ts';
import { LineClient } from '../world/line-client.ts';
import { type Running, startPostern, waitFor } from '../world/postern.ts';

const POSTERN = path.join(ROOT, 'bin/postern');

interface Side {
  readonly running: Running;
  readonly domain: string;
  readonly user: string;
}

let dns: Awaited<ReturnType<typeof startDnsServer>>;
let left: Side;
let right: Side;

before(async () => {
  const port = await freePort();
  dns = await startDnsServer({
    'left.test': { mx: [[10, 'mx.left.test']] },
    'mx.left.test': { a: ['127.0.0.2'] },
    'right.test': { mx: [[10, 'mx.right.test']] },
    'mx.right.test': { a: ['127.0.0.3'] },
  });
  left = await side('left.test', '127.0.0.2', port, 'ann');
  right = await side('right.test', '127.0.0.3', port, 'ben');
});

after(async () => {
  for (const one of [left, right]) {
    await one?.running.stop();
    one?.running.remove();
  }
  await dns.close();
});

test('mail goes from one to the other through MX, over STARTTLS', async () => {
  const id = await submit(left, 'ben@right.test', 'from left to right');
  const text = await arrives(right, 'from left to right');
  assert.match(text, /^Received: from mx\.left\.test/m);
  assert.match(text, /with ESMTPS \(TLSv1\.3/);
  assert.match(text, /^Return-Path: <ann@left\.test>/m);
  const story = await trace(left, id);
  assert.match(story, /mx\.right\.test/);
  assert.match(story, /TLSv1\.3/);
  assert.match(story, /250/);
  assert.match(await trace(right, 'ann@left.test'), /ben@right\.test/);
});

test('a bounce comes back, and the trace tells why', async () => {
  await submit(left, 'nobody@right.test', 'to nobody');
  const bounce = await arrives(left, 'multipart/report');
  assert.match(bounce, /^Final-Recipient: rfc822; ?nobody@right\.test/im);
  assert.match(bounce, /^Status: 5\.1\.1/m);
  assert.match(bounce, /^Return-Path: <>/m);
  assert.match(await trace(left, 'nobody@right.test'), /5\.1\.1/);
  assert.match(await trace(right, 'nobody@right.test'), /refused|5\.1\.1/i);
});

test('a success notice comes back when it was asked for', async () => {
  await submit(left, 'ben@right.test', 'please confirm', ' NOTIFY=SUCCESS');
  const text = await arrives(left, 'Action: delivered');
  assert.match(text, /^Status: 2\./m);
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
log_level = "debug"
`,
  });
  const data = path.join(running.folder, 'data');
  const config = path.join(running.folder, 'postern.toml');
  const flags = ['--config', config, '--data', data];
  const made = await run(POSTERN, ['domain', 'add', domain, ...flags]);
  assert.equal(made.code, 0, made.output);
  const user = `${name}@${domain}`;
  const added = await run(POSTERN, ['account', 'add', user, '--password-stdin', ...flags], {
    input: 'correct horse battery\n',
  });
  assert.equal(added.code, 0, added.output);
  return { running, domain, user };
}

/** Submits by hand; returns the queue id of the 250. */
async function submit(
  from: Side,
  to: string,
  subject: string,
  rcptParameters = '',
): Promise<string> {
  const { host, port } = from.running.ready.listeners['submissions']!;
  const client = await LineClient.connectTls(port, host);
  await client.reply();
  await client.ask('EHLO desk.test');
  const plain = Buffer.from(`\0${from.user}\0correct horse battery`).toString('base64');
  assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^235/);
  assert.match(await client.ask(`MAIL FROM:<${from.user}>`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${to}>${rcptParameters}`), /^250/);
  assert.match(await client.ask('DATA'), /^354/);
  const message = `From: ${from.user}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nhello\r\n.`;
  const answer = await client.ask(message);
  client.close();
  assert.match(answer, /^250/);
  return /[0-9A-Z]{12,}/.exec(answer)?.[0] ?? '';
}

/** Waits until a message with the text is in the user's INBOX; returns the whole mailbox. */
async function arrives(at: Side, text: string): Promise<string> {
  let found = '';
  const there = await waitFor(async () => {
    found = await inbox(at);
    return found.includes(text);
  }, 15_000);
  assert.ok(there, `${text} did not arrive: ${found}\n${at.running.output()}`);
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
  const flags = ['--config', path.join(at.running.folder, 'postern.toml')];
  const data = ['--data', path.join(at.running.folder, 'data')];
  let output = '';
  await waitFor(async () => {
    ({ output } = await run(POSTERN, ['trace', key, ...flags, ...data]));
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
