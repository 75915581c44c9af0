/** A day of mail between two Posterns: the DMARC report about it arrives, and none about the report. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type DnsServer, startDnsServer } from '../world/dns-server.ts';
import { LineClient } from '../world/line-client.ts';
import { freePort } from '../world/ports.ts';
import { atNoon } from '../world/shifted-clock.ts';
import { Side } from '../world/side.ts';

let dns: DnsServer;
/** Counts and reports; what right.test sends is the day's mail. */
let left: Side;
let right: Side;

before(async () => {
  const port = await freePort('127.0.0.2', '127.0.0.3');
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
  left = await side('left.test', '127.0.0.2', port);
  right = await side('right.test', '127.0.0.3', port);
  const made = JSON.parse(await left.postern('dkim', 'create', 'left.test', '--json'));
  for (const { name, strings } of made) dns.zone.set(name, { txt: [strings] });
});

after(async () => {
  await Promise.allSettled([left, right].map((one) => one?.remove()));
  await dns.close();
});

test('yesterday: two messages that pass, one that is forged; then midnight', async () => {
  for (const subject of ['first', 'second']) {
    await right.submit('ann@left.test', subject);
    await left.arrives(`Subject: ${subject}`);
  }
  assert.match(await forged('ann@right.test'), /^550 5\.7\.1/);
  // The accounts were made when the servers ran already: the first start said that they are missing.
  for (const { running } of [right, left]) {
    assert.match(running.output(), /report-account-missing/);
  }
  right = await right.restarted(atNoon(0));
  left = await left.restarted(atNoon(0));
  for (const { running } of [right, left]) {
    assert.doesNotMatch(running.output(), /report-account-missing/);
  }
});

test('the report arrives at the other Postern, and `postern reports` shows it', async () => {
  const text = await right.arrives('Subject: Report Domain: right.test');
  assert.match(text, /^Return-Path: <>/m);
  assert.match(text, /^Authentication-Results: mx\.right\.test;\s+dmarc=pass/m);
  assert.match(text, /dkim=pass header\.d=left\.test/);
  const shown = await right.postern('reports');
  assert.match(shown, /^DMARC report of left\.test about right\.test \(p=reject\), \d{4}-/);
  const rows = shown.replace(/ +/g, ' ');
  assert.match(rows, /^127\.0\.0\.1 2 pass fail pass right\.test .*right\.test pass/m);
  assert.match(rows, /^127\.0\.0\.66 1 reject fail fail right\.test .*right\.test fail/m);
  const [json] = JSON.parse(await right.postern('reports', '--kind', 'dmarc', '--json'));
  assert.equal(json.kind, 'dmarc');
  assert.equal(json.end - json.begin, 86_399);
  assert.equal(json.rows.length, 2);
  // RFC 7489 7.1: another house's address got nothing, for its host does not say that it wants it.
  assert.match(left.running.output(), /victim@left\.test.*dmarc-report-not-wanted/);
  assert.doesNotMatch(await left.inbox(), /Report Domain/);
  assert.equal(left.running.output().match(/"dmarc-report-sent"/g)?.length, 1);
});

test('nothing is counted about the report; the control: a letter of the same author is', async () => {
  await right.running.stop();
  assert.doesNotMatch(counts(right), /left\.test/);
  right = await right.restarted(atNoon(0));
  await left.submit('ann@right.test', 'a letter');
  await right.arrives('Subject: a letter');
  await right.running.stop();
  assert.match(counts(right), /left\.test/);
  right = await right.restarted(atNoon(1));
  // And so left gets its own report, a day later.
  await left.arrives('Subject: Report Domain: left.test');
});

function counts({ running }: Side): string {
  const file = path.join(running.folder, 'data/dmarc-reports.json');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** It counts and reports, and begins a day early. */
function side(domain: string, host: string, port: number): Promise<Side> {
  const settings = `
unverified_clients = []
dmarc_report_from = "reports@${domain}"
report_accounts = ["ann@${domain}"]
minimal_backoff_time = "1s"
maximal_backoff_time = "2s"
`;
  const where = { domain, host, port, dns: dns.server, name: 'ann' };
  return Side.start({ ...where, settings, env: atNoon(-1), allowStalls: true });
}

/** To left's port 25, from an address that may not speak for anybody. */
async function forged(author: string): Promise<string> {
  const { host, port } = left.running.ready.listeners['smtp']!;
  const client = await LineClient.connect(port, host, 30_000, '127.0.0.66');
  await client.reply();
  await client.ask('EHLO mx.evil.test');
  await client.ask(`MAIL FROM:<${author}>`);
  await client.ask('RCPT TO:<ann@left.test>');
  await client.ask('DATA');
  const answer = await client.ask(`From: ${author}\r\nSubject: forged\r\n\r\nhello\r\n.`);
  client.close();
  return answer;
}
