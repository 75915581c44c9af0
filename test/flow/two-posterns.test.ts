/** Two Posterns, two domains, MX records of a DNS server on loopback: mail, a bounce, both traces. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startDnsServer } from '../world/dns-server.ts';
import { freePort } from '../world/ports.ts';
import { Side } from '../world/side.ts';

let dns: Awaited<ReturnType<typeof startDnsServer>>;
let left: Side;
let right: Side;

before(async () => {
  const port = await freePort('127.0.0.2', '127.0.0.3');
  dns = await startDnsServer({
    'left.test': { mx: [[10, 'mx.left.test']] },
    'mx.left.test': { a: ['127.0.0.2'] },
    'right.test': { mx: [[10, 'mx.right.test']] },
    'mx.right.test': { a: ['127.0.0.3'] },
  });
  const common = { port, dns: dns.server, settings: 'log_level = "debug"' };
  left = await Side.start({ ...common, domain: 'left.test', host: '127.0.0.2', name: 'ann' });
  right = await Side.start({ ...common, domain: 'right.test', host: '127.0.0.3', name: 'ben' });
});

after(async () => {
  for (const one of [left, right]) {
    await one?.remove();
  }
  await dns.close();
});

test('mail goes from one to the other through MX, over STARTTLS', async () => {
  const id = await left.submit('ben@right.test', 'from left to right');
  const text = await right.arrives('from left to right');
  assert.match(text, /^Received: from mx\.left\.test/m);
  assert.match(text, /with ESMTPS \(TLSv1\.3/);
  assert.match(text, /^Return-Path: <ann@left\.test>/m);
  const story = await left.trace(id);
  assert.match(story, /mx\.right\.test/);
  assert.match(story, /TLSv1\.3/);
  assert.match(story, /250/);
  assert.match(await right.trace('ann@left.test'), /ben@right\.test/);
});

test('a bounce comes back, and the trace tells why', async () => {
  await left.submit('nobody@right.test', 'to nobody');
  const bounce = await left.arrives('multipart/report');
  assert.match(bounce, /^Final-Recipient: rfc822; ?nobody@right\.test/im);
  assert.match(bounce, /^Status: 5\.1\.1/m);
  assert.match(bounce, /^Return-Path: <>/m);
  assert.match(await left.trace('nobody@right.test'), /5\.1\.1/);
  assert.match(await right.trace('nobody@right.test'), /refused|5\.1\.1/i);
});

test('a success notice comes back when it was asked for', async () => {
  await left.submit('ben@right.test', 'please confirm', { rcpt: ' NOTIFY=SUCCESS' });
  const text = await left.arrives('Action: delivered');
  assert.match(text, /^Status: 2\./m);
});
