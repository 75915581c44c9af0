/** Two Posterns that sign and verify: submission, forwarding with a seal, a notice, a rotated key. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { LineClient } from '../world/line-client.ts';
import { freePort } from '../world/ports.ts';
import { Side } from '../world/side.ts';

let dns: DnsServer;
let left: Side;
let right: Side;

before(async () => {
  const port = await freePort('127.0.0.2', '127.0.0.3');
  dns = await startDnsServer({
    'left.test': { mx: [[10, 'mx.left.test']], txt: ['v=spf1 ip4:127.0.0.0/8 -all'] },
    'mx.left.test': { a: ['127.0.0.2'] },
    '_dmarc.left.test': { txt: ['v=DMARC1; p=reject; adkim=s'] },
    'right.test': { mx: [[10, 'mx.right.test']], txt: ['v=spf1 -all'] },
    'mx.right.test': { a: ['127.0.0.3'] },
    '_dmarc.right.test': { txt: ['v=DMARC1; p=reject'] },
  });
  const common = { port, dns: dns.server, settings: 'unverified_clients = []' };
  left = await Side.start({ ...common, domain: 'left.test', host: '127.0.0.2', name: 'ann' });
  right = await Side.start({ ...common, domain: 'right.test', host: '127.0.0.3', name: 'ben' });
  await publish(left, 'create', 'left.test', '--selector', 'one');
  await publish(left, 'create', 'left.test', '--selector', 'ed', '--algorithm', 'ed25519');
  await publish(right, 'create', 'right.test', '--selector', 'r');
  await right.postern('alias', 'add', 'away@right.test', 'ann@left.test');
  // The server looks at its keys once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
});

after(async () => {
  for (const one of [left, right]) {
    await one?.remove();
  }
  await dns.close();
});

test('what one signs the other verifies, with both keys, loaded without a restart', async () => {
  const id = await left.submit('ben@right.test', 'signed twice');
  const text = await right.arrives('signed twice');
  assert.match(text, /^Authentication-Results: mx\.right\.test;\r?\n\tdmarc=pass/m);
  assert.match(text, /dkim=pass header\.d=left\.test header\.s=one header\.a=rsa-sha256/);
  assert.match(text, /dkim=pass header\.d=left\.test header\.s=ed\s+header\.a=ed25519-sha256/);
  assert.match(text, /h=From:From:To:To:Cc:Subject:Subject:Date:Date:/);
  const story = await left.trace(id);
  assert.match(story, /signed:\n.*domain left\.test, selector one, algorithm rsa-sha256/);
  const evidence = await right.trace('ann@left.test');
  assert.match(evidence, /name: one\._domainkey\.left\.test/);
  assert.match(evidence, /key bits: 2048/);
});

test('a large message is signed while it comes in', async () => {
  const body = `${'a line of seventy octets, which comes again and again and again ....'}\r\n`;
  await left.submit('ben@right.test', 'signed and large', { body: body.repeat(4_000) });
  const text = await right.arrives('signed and large');
  assert.match(text, /dmarc=pass\s+\(aligned by dkim of left\.test/);
});

test('text without a header is signed as the message that became of it', async () => {
  await left.submit('ben@right.test', undefined, { body: 'only text, no header\r\n' });
  const text = await right.arrives('only text, no header');
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
  const text = await left.arrives('from afar');
  assert.match(text, /^ARC-Seal: i=1; a=rsa-sha256; d=right\.test; s=r;/m);
  assert.match(text, /^ARC-Authentication-Results: i=1; mx\.right\.test; dmarc=pass/m);
  const ours = /^Authentication-Results: mx\.left\.test;.*(?:\n[ \t].*)*/m.exec(text)?.[0] ?? '';
  assert.match(ours, /dmarc=pass\s+\(aligned by dkim of joe\.test/);
  assert.match(ours, /spf=fail/);
  assert.match(ours, /arc=pass \(i=1, sealed by right\.test\)/);
  // Results of others stay where they are; only those with our name would go.
  assert.match(text, /^Authentication-Results: mx\.right\.test;/m);
  assert.match(await right.trace('away@right.test'), /sealed: domain right\.test, selector r/);
});

test('a notice is signed by the key above the name of its host', async () => {
  await left.submit('nobody@right.test', 'to nobody');
  const bounce = await left.arrives('multipart/report');
  assert.match(bounce, /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=left\.test;/m);
});

test('rotation under way: the old key signs until the new one is published', async () => {
  const [next] = JSON.parse(await left.postern('dkim', 'rotate', 'left.test', '--json'));
  await left.submit('ben@right.test', 'before the switch');
  assert.match(await right.arrives('before the switch'), /header\.s=one/);
  const early = await left.command('dkim', 'rotate', 'left.test');
  assert.match(early.output, /is not in the DNS yet/);
  for (const { name, strings } of [
    next,
    ...JSON.parse(await left.postern('dkim', 'record', 'left.test', '--json')),
  ]) {
    dns.zone.set(name, { txt: [strings] });
  }
  const selector = next.name.split('.')[0];
  // The absence that was asked for is remembered for as long as its SOA says.
  await left.postern('dkim', 'rotate', 'left.test');
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await left.submit('ben@right.test', 'after the switch');
  const text = await right.arrives('after the switch');
  const last = text.slice(text.lastIndexOf('* '));
  assert.match(
    text,
    new RegExp(`dkim=pass header\\.d=left\\.test\\s+header\\.s=${selector}`),
    last,
  );
});

test('without keys nothing is signed, and p=reject refuses it: the control', async () => {
  const [one] = (await left.postern('dkim', 'list', 'left.test')).match(/p\d{6}\S*/g) ?? [];
  assert.ok(one);
  const states = JSON.parse(await left.postern('dkim', 'list', '--json'));
  for (const { selector, state } of states) {
    if (state !== 'retired') await left.postern('dkim', 'retire', 'left.test', selector);
  }
  dns.zone.set('left.test', { mx: [[10, 'mx.left.test']], txt: ['v=spf1 -all'], ttl: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  right = await right.restarted();
  await left.submit('ben@right.test', 'not signed');
  const bounce = await left.arrives('Refused by the DMARC policy of left.test');
  assert.match(bounce, /^Status: 5\.7\.1/m);
});

/** Makes a key and puts its record into the DNS. */
async function publish(at: Side, ...words: string[]): Promise<void> {
  const records = JSON.parse(await at.postern('dkim', ...words, '--json'));
  for (const { name, strings } of records) dns.zone.set(name, { txt: [strings] });
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
