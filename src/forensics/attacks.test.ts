/** Tests as an expert attacks a verdict: what is added above, beside or around what was verified. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignOptions } from '#trust/dkim/sign.ts';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import { headlineText } from './conclusions.ts';
import { BOUNDARY, NOW_MS, type Trust, US, examined, ids, message } from './testing.ts';

const KEY = testKey('rsa-sha256', 'bank.test', 's');
const DNS: Trust = {
  ...US,
  resolver: zoneResolver({
    's._domainkey.bank.test': { txt: [KEY.record] },
    '_dmarc.bank.test': { txt: ['v=DMARC1; p=reject; adkim=s'] },
    'bank.test': { txt: ['v=spf1 ip4:192.0.2.1 -all'] },
  }),
};
const PLAIN = message({ From: 'CEO <ceo@bank.test>' }, { boundary: '' });
/** As many signers do it: nothing is oversigned. */
const FIELDS = ['From', 'To', 'Subject', 'Date', 'Message-ID'];

function good(options: Partial<SignOptions> = {}): string {
  return signed(PLAIN, KEY, { atMs: NOW_MS, ...options });
}

async function headline(text: string, trust = DNS): Promise<string> {
  return headlineText((await examined(text, trust)).conclusions.headline);
}

function own(text: string): string {
  return `Authentication-Results: mx.us.test; ${text}\r\n`;
}

/** How the client of the boundary line is read, and what SPF says of it. */
async function client(literal: string) {
  const text = BOUNDARY.replace('[192.0.2.1]', `[${literal}]`);
  const one = await examined(`Return-Path: <ceo@bank.test>\r\n${text}${PLAIN}`, DNS);
  return [one.route.boundary?.line.ip?.text, one.authentication.spf.result];
}

test('the control: what was signed, as it was signed, is authenticated', async () => {
  assert.equal(await headline(BOUNDARY + good()), 'authenticated as bank.test');
  assert.equal(await headline(BOUNDARY + good({ fields: FIELDS })), 'authenticated as bank.test');
});

test('a second Subject, To or Date above the signed one is a contradiction', async () => {
  for (const added of ['Subject: Pay now', 'SUBJECT : Pay now', 'To: x@evil.test', 'Date: now']) {
    const text = `${BOUNDARY}${added}\r\n${good({ fields: FIELDS })}`;
    assert.match(await headline(text), /^contradicts itself \(a shown field that the signature/);
    assert.doesNotMatch(await headline(`${BOUNDARY}${added}\r\n${good()}`), /^authenticated/);
  }
  const twice = `${BOUNDARY}Content-Type: text/html\r\nContent-Type: text/plain\r\n`;
  assert.match(await headline(twice + good({ fields: FIELDS })), /^contradicts itself/);
});

test('a field that was never signed is told, and no contradiction', async () => {
  const text = `${BOUNDARY}Content-Type: text/html\r\n${good({ fields: FIELDS })}`;
  const one = await examined(text, DNS);
  assert.ok(ids(one).includes('open-head'));
  assert.equal(headlineText(one.conclusions.headline), 'authenticated as bank.test');
});

test('another author behind a bare CR or LF, a NUL or a folded name is a contradiction', async () => {
  const odd = [
    'X: a\rFrom: x@evil.test',
    'X: a\nFrom: x@evil.test',
    'X: a\r\n b\r fRom : x@evil.test',
  ];
  odd.push(
    'Fr\0om: x@evil.test',
    'From\r\n : x@evil.test',
    'From\t: x@evil.test',
    'From: x@evil.test',
  );
  for (const line of odd) {
    const text = `${BOUNDARY}${line}\r\n${good({ fields: FIELDS })}`;
    assert.match(await headline(text), /^contradicts itself/, JSON.stringify(line));
  }
});

test('what a trusted host says against it outweighs what it says for it', async () => {
  const cases: readonly (readonly [above: string, from: string, expected: RegExp])[] = [
    // Strict alignment: the parent's signature is right, and DMARC failed.
    [
      own('dkim=pass header.d=bank.test; dmarc=fail header.from=news.bank.test'),
      'a@news.bank.test',
      /not auth/,
    ],
    [own('dkim=pass header.d=bank.test; dmarc=fail'), 'a@bank.test', /not auth/],
    [own('dkim=pass header.d=bank.test; dmarc=none'), 'a@bank.test', /^authenticated/],
    [own('dkim=none; dmarc=none'), 'a@bank.test', /not auth/],
    [
      own('dmarc=fail header.from=bank.test') + own('dmarc=pass header.from=bank.test'),
      'a@bank.test',
      /^cannot be determined \(the results of trusted hosts contradict/,
    ],
    [
      own('dmarc=fail header.from=evil.test; dmarc=pass header.from=bank.test'),
      'a@bank.test',
      /^authenticated/,
    ],
    // A signer is a domain and nothing else.
    [own('dkim=pass header.d="x@bank.test"'), 'a@bank.test', /^cannot/],
    [own('dkim=pass header.i=x@bank.test header.d=evil.test'), 'a@bank.test', /^cannot/],
    [own('dkim=pass header.i="bank.test@evil.test"'), 'a@bank.test', /^cannot/],
    [own('dmarc=pass (header.from=bank.test)'), 'a@bank.test', /^cannot/],
    [own('dmarc=pass reason="header.from=bank.test"'), 'a@bank.test', /^cannot/],
    [own('dmarc=pass header.from=evil.test (;) header.from=bank.test'), 'a@bank.test', /^cannot/],
    [own('dmarc/2=pass header.from=bank.test'), 'a@bank.test', /^cannot/],
    [own('x-dmarc=pass header.from=bank.test'), 'a@bank.test', /^cannot/],
    [own('arc=pass header.from=bank.test header.d=bank.test'), 'a@bank.test', /^cannot/],
  ];
  for (const [above, from, expected] of cases) {
    assert.match(await headline(message({ From: from }, { top: above }), US), expected, above);
  }
});

test('nobody talks himself into the place of the client: HELO, MAIL FROM, RCPT, a login', async () => {
  const date = 'Sun, 22 Nov 2026 09:00:05 +0000';
  const lines = [
    `from [127.0.0.1] (evil.test [192.0.2.66]) by mx.us.test (Postfix) with ESMTP id A; ${date}`,
    `from [IPv6:::1] (unknown [192.0.2.66]) by mx.us.test (Postfix) with ESMTP id A; ${date}`,
    `from evil.test (evil.test [192.0.2.66]) by mx.us.test (Postfix) with ESMTP id A\r\n\tfor <"x (y [127.0.0.1]) by z"@us.test>; ${date}`,
    `from evil.test ([192.0.2.66] helo=[127.0.0.1]) by mx.us.test with esmtps (Exim 4.96)\r\n\t(envelope-from <"a) ([127.0.0.1]) (b"@evil.test>) id 1xUy5g-0005DT-2f for b@us.test; ${date}`,
    `from evil.test (evil.test [192.0.2.66]) (authenticated as (x [127.0.0.1])) by mx.us.test with ESMTPA id A; ${date}`,
  ];
  for (const line of lines) {
    // A forged line that only a client on the same machine could hand on.
    const forged = `Received: from bank.test (bank.test [192.0.2.1]) by mx.us.test (Postfix) with ESMTP id B; ${date}\r\n`;
    const one = await examined(
      `Received: ${line}\r\nReturn-Path: <ceo@bank.test>\r\n${forged}${PLAIN}`,
      DNS,
    );
    assert.equal(one.route.boundary?.number, 1, line);
    assert.equal(one.route.boundary?.line.ip?.text, '192.0.2.66', line);
    assert.notEqual(one.conclusions.headline.kind, 'authenticated', line);
  }
});

test('clients by IPv6, mapped IPv4 and with a zone are the addresses that they are', async () => {
  assert.deepEqual(await client('IPv6:2001:DB8:0::1'), ['2001:db8::1', 'fail']);
  assert.deepEqual(await client('2001:db8::1'), ['2001:db8::1', 'fail']);
  assert.deepEqual(await client('IPv6:::ffff:192.0.2.1'), ['192.0.2.1', 'pass']);
  // An address of a private network is read too; SPF has nothing to say about it.
  assert.deepEqual(await client('IPv6:fe80::1%eth0'), ['fe80::1', 'unknown']);
  assert.deepEqual((await client('IPv6:::ffff:192.0.2.999'))[1], 'unknown');
});

test('nothing fails for what could not be checked: no key, no MAIL FROM, no address', async () => {
  const bare = await examined(BOUNDARY + PLAIN, DNS);
  assert.deepEqual(
    [bare.authentication.spf.result, bare.authentication.dmarc.result],
    ['unknown', 'unknown'],
  );
  const path = 'Return-Path: <x@evil.test>\r\n';
  const known = await examined(path + BOUNDARY + PLAIN, DNS);
  assert.equal(known.authentication.dmarc.result, 'fail', 'the control: all of it was checked');
  const other = signed(PLAIN, testKey('rsa-sha256', 'bank.test', 'gone'), { atMs: NOW_MS });
  const gone = await examined(path + BOUNDARY + other, DNS);
  assert.equal(gone.authentication.signatures.dkim[0]?.status, 'unknown');
  assert.equal(gone.authentication.dmarc.result, 'unknown');
  assert.equal(gone.conclusions.headline.kind, 'cannot be determined');
});

test('time: an expired signature, one from the future, a second and a third of them', async () => {
  const late = good({ atMs: NOW_MS - 9 * 86_400_000, lifeSeconds: 86_400 });
  assert.doesNotMatch(await headline(BOUNDARY + late), /^authenticated/);
  const early = good({ atMs: NOW_MS + 9 * 86_400_000 });
  assert.doesNotMatch(await headline(BOUNDARY + early), /^authenticated/);
  // The hop's own line says when; what lies below may say what it wants.
  const shifted = `${BOUNDARY}Received: from a by b.test with ESMTP id X; Sun, 15 Nov 2026 09:00:00 +0000\r\n`;
  assert.doesNotMatch(await headline(shifted + late), /^authenticated/);
  const [signature = ''] = /^DKIM-Signature:[^]*?\r\n(?![ \t])/.exec(good()) ?? [];
  const broken = signature.replace(/bh=./, 'bh=A');
  assert.equal(
    await headline(BOUNDARY + broken + signature + broken + good()),
    'authenticated as bank.test',
  );
  assert.doesNotMatch(await headline(BOUNDARY + broken.repeat(30) + PLAIN), /^authenticated/);
});

test('a key that was replaced since is not available; one that is the same proves a change', async () => {
  const old = testKey('rsa-sha256', 'bank.test', 's');
  const ed = testKey('ed25519-sha256', 'bank.test', 's');
  const cases: readonly (readonly [
    days: number,
    key: typeof KEY,
    change: boolean,
    status: string,
  ])[] = [
    [0, old, false, 'fail'],
    [10, old, false, 'unknown'],
    [10, KEY, true, 'fail'],
    [10, KEY, false, 'pass'],
    [10, ed, false, 'unusable'],
  ];
  for (const [days, key, change, expected] of cases) {
    const text = signed(PLAIN, key, { atMs: NOW_MS - days * 86_400_000 });
    const sent = change ? text.replace('Subject: Hello', 'Subject: Pay') : text;
    const one = await examined(BOUNDARY.replace('22 Nov', `${22 - days} Nov`) + sent, DNS);
    const [found] = one.authentication.signatures.dkim;
    assert.equal(found?.status, expected, `${days} ${found?.reason}`);
    if (expected !== 'pass') assert.notEqual(one.conclusions.headline.kind, 'authenticated');
  }
});
