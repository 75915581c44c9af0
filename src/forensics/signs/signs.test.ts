/** Tests of the signs: each has a message that shows it, and an ordinary one shows none but context. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import { BOUNDARY, NOW_MS, type Trust, US, examined, ids, message } from '../testing.ts';
import * as registry from './index.ts';
import { signTable } from './page.ts';

const KEY = testKey('ed25519-sha256', 'example.org', 's1');
const KEYED: Trust = {
  ...US,
  resolver: zoneResolver({ 's1._domainkey.example.org': { txt: [KEY.record] } }),
};
const BELOW = (line: string): { boundary: string } => ({ boundary: `${BOUNDARY}${line}\r\n` });
const EXIM = 'Received: from a ([192.0.2.9] helo=a) by b.test with esmtps (Exim 4.96) id ';

/** A message that shows the sign of this id. */
const SHOWN: Readonly<Record<string, readonly [text: string, trust?: Trust]>> = {
  'from-twice': [message({}).replace('To:', 'From: b@other.test\r\nTo:')],
  'field-twice': [message({}).replace('To:', 'Subject: Pay\r\nTo:')],
  'from-readings': [message({ From: 'Temu, jehd <service@temu.test>' })],
  'from-missing': [message({ From: '"Facebook" <>' })],
  'display-name': [message({ From: '"ceo@bank.test" <x@evil.test>' })],
  lookalike: [message({ From: 'a@paypa1.com' }), { ...US, known: ['paypal.com'] }],
  'mixed-script': [message({ From: 'a@xn--pypal-4ve.com' })],
  'hidden-characters': [message({ Subject: '=?utf-8?q?a=E2=80=AEgpj.exe?=' })],
  'forged-results': [message({ 'Authentication-Results': 'mx.us.test; dmarc=pass' })],
  'own-host-below': [
    message(
      {},
      BELOW('Received: from a by mx.us.test with ESMTP id X; Sun, 22 Nov 2026 09:00:00 +0000'),
    ),
  ],
  'own-helo': [
    message({}, { boundary: BOUNDARY.replace('from mail.example.org', 'from mx.us.test') }),
  ],
  'own-domain': [message({ From: 'boss@us.test' })],
  'impossible-line': [
    message(
      {},
      BELOW(
        'Received: from a (b [192.0.2.3]) by c.test (Postfix); Sun, 22 Nov 2026 09:00:00 +0000',
      ),
    ),
  ],
  'queue-id': [message({}, BELOW(`${EXIM}1xUy5g-0005DT-2f; Sun, 22 Nov 2020 09:00:00 +0000`))],
  'thread-index': [
    message({
      'Thread-Index': 'Adw+AAAAAAAAAAAAAAAAAAAAAAAAAA==',
      Date: 'Sun, 22 Nov 2009 09:00:00 +0000',
    }),
  ],
  'arrival-time': [
    message({
      'X-OriginalArrivalTime': '22 Nov 2026 09:00:01 (UTC) FILETIME=[01D0A1B2:01D5A1B2]',
    }),
  ],
  'dkim-later': [
    BOUNDARY + signed(message({}, { boundary: '' }), KEY, { atMs: NOW_MS + 86_400_000 }),
    KEYED,
  ],
  'body-changed': [
    BOUNDARY + signed(message({}, { boundary: '' }), KEY, { atMs: NOW_MS }).replace('Hi.', 'Pay.'),
    KEYED,
  ],
  'open-body': [
    message({
      'DKIM-Signature': `v=1; a=ed25519-sha256; d=example.org; s=s1; l=0; h=from; bh=${'A'.repeat(43)}=; b=AAAA`,
    }),
    KEYED,
  ],
  'open-head': [
    BOUNDARY + signed(message({}, { boundary: '' }), KEY, { atMs: NOW_MS, fields: ['From', 'To'] }),
    KEYED,
  ],
  'broken-octets': [message({ 'X-Y': 'a\0b' })],
  date: [message({ Date: 'Sun, 22 Nov 2026 10:00:00 +0000' })],
  'numeric-helo': [
    message({}, { boundary: BOUNDARY.replace('from mail.example.org', 'from [198.51.100.7]') }),
  ],
  'no-rdns': [message({}, { boundary: BOUNDARY.replace('(mail.example.org ', '(unknown ') })],
  'reply-to': [message({ 'Reply-To': 'a@other.test' })],
  'return-path': [message({}, { top: 'Return-Path: <b@list.test>\r\n' })],
  sender: [message({ Sender: 'b@list.test' })],
  'message-id': [message({ 'Message-ID': '<1@other.test>' })],
  backwards: [
    message(
      {},
      BELOW('Received: from a by b.test with ESMTP id X; Sun, 22 Nov 2026 12:00:00 +0000'),
    ),
  ],
  'helo-rdns': [
    message({}, { boundary: BOUNDARY.replace('from mail.example.org', 'from other.test') }),
  ],
  'chain-break': [
    message(
      {},
      BELOW(
        'Received: from a.test (a.test [192.0.2.3]) by b.test with ESMTP id X; Sun, 22 Nov 2026 09:00:00 +0000\r\n' +
          'Received: from c.test (c.test [192.0.2.4]) by d.test with ESMTP id X; Sun, 22 Nov 2026 09:00:00 +0000',
      ),
    ),
  ],
  leaks: [
    message(
      {},
      BELOW(
        'Received: from pc.lan ([10.1.2.3]) by b.test with ESMTP id X; Sun, 22 Nov 2026 09:00:00 +0000',
      ),
    ),
  ],
  'originating-ip': [message({ 'X-Originating-IP': '[198.51.100.7]' })],
  'plaintext-hop': [message({}, { boundary: BOUNDARY.replace('ESMTPS', 'ESMTP') })],
  'slow-hop': [
    message(
      {},
      BELOW('Received: from a by b.test with ESMTP id X; Sun, 22 Nov 2026 01:00:00 +0000'),
    ),
  ],
  'unequal-senders': [message({ Sender: 'b@list.test' })],
};

test('each sign is shown by a message made for it', async () => {
  for (const { id, strength } of Object.values(registry)) {
    const made = SHOWN[id];
    assert.ok(made !== undefined, `no message shows ${id}`);
    const [text, trust = US] = made;
    const one = await examined(text, trust);
    const dropped = one.conclusions.dropped.map(({ sign }) => sign.id);
    const found = strength === 'dropped' ? dropped : ids(one);
    assert.ok(found.includes(id), `${id} is not seen, but ${found.join(' ')}`);
  }
});

test('the control: an ordinary message shows none of them', async () => {
  const { conclusions } = await examined(message());
  assert.deepEqual(conclusions.findings, []);
  assert.deepEqual(conclusions.dropped, []);
});

test('a dropped sign is never evidence; what is common in ordinary mail is never strong', () => {
  for (const { id, strength, rates } of Object.values(registry)) {
    if (rates === undefined) continue;
    if (strength === 'strong') assert.ok(rates.easyHam < 1 && rates.phish > rates.easyHam, id);
    if (rates.easyHam > 50 && rates.phish < rates.easyHam) assert.notEqual(strength, 'weak', id);
  }
  const known = new Set(Object.values(registry).map(({ id }) => id));
  assert.equal(known.size, Object.values(registry).length);
});

test('every From gets a name and an address or none, however it is written', async () => {
  const cases: readonly (readonly [from: string, name: string, address: string | undefined])[] = [
    ['alice@example.org', '', 'alice@example.org'],
    ['Alice <alice@example.org>', 'Alice', 'alice@example.org'],
    ['"Müller, A" <a@x.test>', 'Müller, A', 'a@x.test'],
    ['Temu, jehd <service@temu.test>', 'Temu, jehd', 'service@temu.test'],
    ['"Facebook" <>', 'Facebook', undefined],
    ['Facebook', 'Facebook', undefined],
    ['=?utf-8?q?M=C3=BCller?= <a@x.test>', 'Müller', 'a@x.test'],
    ['a@x.test (Alice)', '', 'a@x.test'],
    ['<@route.test:a@x.test>', '', 'a@x.test'],
    ['Alice <a@x.test', 'Alice', 'a@x.test'],
    ['"Alice <a@x.test>', '"Alice', 'a@x.test'],
    ['<a@x.test> <b@y.test>', '<a@x.test>', 'b@y.test'],
  ];
  for (const [from, name, address] of cases) {
    const text = message({ From: Buffer.from(from).toString('latin1') });
    const one = await examined(text);
    assert.deepEqual([one.from.main.name, one.from.main.address], [name, address], from);
  }
});

test('docs/forensics.md has the table of the signs, docs/weaknesses.md names none that is not', () => {
  const root = new URL('../../../docs/', import.meta.url);
  const page = readFileSync(new URL('forensics.md', root), 'utf8');
  assert.ok(page.includes(signTable()), signTable());
  const known = new Set(Object.values(registry).map(({ id }) => id));
  const rows = readFileSync(new URL('weaknesses.md', root), 'utf8').split('\n');
  const named = rows.flatMap((row) => [...(row.split('|')[4] ?? '').matchAll(/`([\w-]+)`/g)]);
  assert.ok(named.length >= 10);
  for (const [, id = ''] of named) assert.ok(known.has(id), id);
});
