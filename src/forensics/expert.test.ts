/** Tests as an expert concludes: honest mail that looks odd, and odd mail that looks honest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import { headlineText } from './conclusions.ts';
import { BOUNDARY, type Trust, US, examined, message } from './testing.ts';

const OWN = testKey('rsa-sha256', 'us.test', 's');
const DNS: Trust = {
  ...US,
  resolver: zoneResolver({
    's._domainkey.us.test': { txt: [OWN.record] },
    '_dmarc.example.org': { txt: ['v=DMARC1; p=reject'] },
    'example.org': { txt: ['v=spf1 ip4:192.0.2.1 -all'] },
  }),
};
const KNOWN: Trust = { ...US, known: ['paypal.com', 'ing.de'] };

interface Expected {
  readonly what: string;
  readonly text: string;
  readonly trust?: Trust;
  readonly headline?: RegExp;
  /** `id:strength` of signs that must be there, and that must not. */
  readonly has?: readonly string[];
  readonly not?: readonly string[];
  /** Words of some sign. */
  readonly says?: RegExp;
}

async function holds(cases: readonly Expected[]): Promise<void> {
  for (const { what, text, trust, headline, has = [], not = [], says } of cases) {
    const { conclusions } = await examined(text, trust);
    const seen = conclusions.findings.map(({ sign, strength }) => `${sign.id}:${strength}`);
    const told = `${what}: ${headlineText(conclusions.headline)}, ${seen.join(' ')}`;
    if (headline !== undefined) assert.match(headlineText(conclusions.headline), headline, told);
    for (const id of has) assert.ok(seen.includes(id), `${told}; not ${id}`);
    for (const id of not) assert.ok(!seen.some((one) => one.startsWith(id)), `${told}; but ${id}`);
    const words = conclusions.findings.map((one) => one.seen.text).join('\n');
    if (says !== undefined) assert.match(words, says, told);
  }
}

/** Octets as latin1, as a head has them. */
function octets(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function subject(text: string): string {
  return message({ Subject: `=?utf-8?b?${Buffer.from(text).toString('base64')}?=` });
}

function line(from: string, by: string, rest: string, date = '09:00:05 +0000'): string {
  return `Received: from ${from}\r\n\tby ${by} ${rest}; Sun, 22 Nov 2026 ${date}\r\n`;
}

function way(...lines: readonly string[]): string {
  return message({}, { boundary: lines.join('') });
}

function arrival(text: string): string {
  return message({ 'X-OriginalArrivalTime': text });
}

/** A claimed line with another date, or another client. */
function dated(date: string, peer = 'x.test (x.test [198.51.100.1])'): string {
  const text = line(peer, 'mail.example.org', ID);
  return way(BOUNDARY, text.replace('Sun, 22 Nov 2026 09:00:05 +0000', date));
}

const ID = '(Postfix) with ESMTPS id 4F2A81C0F3';

test('names: what stands in a comment is a name too; a list that took From over is weak', async () => {
  const list = { From: '"alice@example.org via Devel" <devel@lists.test>' };
  await holds([
    {
      what: 'an address in a comment',
      text: message({ From: 'm@evil.test (security@paypal.com)' }),
      headline: /^contradicts itself/,
      has: ['display-name:strong'],
    },
    {
      what: 'a known name in a comment',
      text: message({ From: 'm@evil.test (PayPal)' }),
      trust: KNOWN,
      has: ['display-name:weak'],
    },
    {
      what: 'via a list',
      text: message({ ...list, 'List-Id': 'Devel <devel.lists.test>' }),
      headline: /^cannot be determined/,
      has: ['display-name:weak'],
    },
    { what: 'via nobody', text: message(list), has: ['display-name:strong'] },
    {
      what: 'via somebody else’s list',
      text: message({ ...list, 'List-Id': '<x.other.test>' }),
      has: ['display-name:strong'],
    },
  ]);
});

test('From: several authors of one domain are no contradiction, nor is nobody or an address literal', async () => {
  await holds([
    {
      what: 'two of one domain',
      text: message({ From: 'Alice <alice@example.org>, Bob <bob@example.org>' }),
      headline: /^cannot be determined/,
      not: ['from-readings'],
    },
    {
      what: 'two of two domains',
      text: message({ From: 'Alice <alice@example.org>, Bob <bob@b.test>' }),
      headline: /^contradicts itself/,
    },
    {
      what: 'an empty group',
      text: message({ From: 'undisclosed:;' }),
      headline: /^cannot be determined \(no address in From\)/,
      has: ['from-missing:strong'],
      not: ['from-readings'],
    },
    {
      what: 'no From at all',
      text: message({ From: '' }),
      headline: /^cannot be determined \(no From\)/,
      has: ['from-missing:strong'],
    },
    {
      what: 'a literal',
      text: message({ From: 'root@[192.0.2.1]' }),
      headline: /^(?:cannot be determined|\[192\.0\.2\.1\] not authenticated)/,
    },
  ]);
});

test('Reply-To: every address of every field counts, in every country of a free provider', async () => {
  const free = ['yahoo.co.uk', 'hotmail.fr', 'ymail.com', 'pm.me', '163.com', 'gmx.at'];
  await holds([
    ...free.map((domain) => ({
      what: domain,
      text: message({ 'Reply-To': `x@${domain}` }),
      has: ['reply-to:strong'],
    })),
    {
      what: 'the second of a list',
      text: message({ 'Reply-To': 'alice@example.org, x@gmail.com' }),
      has: ['reply-to:strong'],
    },
    {
      what: 'the second field',
      text: message({ 'Reply-To': 'alice@example.org\r\nReply-To: x@gmail.com' }),
      has: ['reply-to:strong'],
    },
    {
      what: 'a look-alike as the second',
      text: message({ From: 'a@paypal.com', 'Reply-To': 'a@paypal.com, x@paypa1.com' }),
      trust: KNOWN,
      has: ['lookalike:strong'],
    },
    {
      what: 'a look-alike as the sender',
      text: message({ Sender: 'x@paypa1.com' }),
      trust: KNOWN,
      has: ['lookalike:strong'],
    },
    {
      what: 'a letter between short names',
      text: message({ From: 'x@inb.de' }),
      trust: KNOWN,
      has: ['lookalike:weak'],
      not: ['lookalike:strong'],
    },
    { what: 'no free one', text: message({ 'Reply-To': 'x@live.example' }), not: ['reply-to:str'] },
  ]);
});

test('hidden characters: emoji, flags and scripts that need them have none', async () => {
  const honest = ['Hi 👨‍👩‍👧', 'Go 🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'می‌خواهم', 'שלום\u200f!', 'क्‍ष'];
  const hiding = ['Pay\u200bPal', 'inv\u202efdp.exe', 'a\u200db', 'Go\u{e0067}', 'Pay\u200fPal'];
  await holds([
    ...honest.map((text) => ({ what: text, text: subject(text), not: ['hidden-characters'] })),
    ...hiding.map((text) => ({ what: text, text: subject(text), has: ['hidden-characters:weak'] })),
  ]);
});

test('lines by our hosts: what came back, or has no --trusted-net, is no forgery; what did not is', async () => {
  const forged = line('pc.us.test (pc.us.test [10.0.0.5])', 'mx.us.test', ID);
  const second = line('mail.example.org (mail.example.org [192.0.2.1])', 'mx2.us.test', ID);
  const from = (peer: string): string => line(peer, 'mx.us.test', ID);
  const auth = 'Authentication-Results: mx.us.test; auth=pass smtp.auth=carol\r\n';
  const list = from('lists.test (lists.test [192.0.2.7])');
  const toList = line('mx.us.test (mx.us.test [203.0.113.9])', 'lists.test', ID);
  await holds([
    {
      what: 'a second host of ours, its network not named',
      text: way(from('mx2.us.test (mx2.us.test [203.0.113.2])'), second),
      trust: { mx: ['.us.test'] },
      headline: /^cannot be determined/,
      has: ['own-host-below:weak'],
      not: ['own-helo'],
    },
    {
      what: 'back from a list, with our own results',
      text: way(list, toList, auth, forged),
      headline: /^cannot be determined/,
      has: ['own-host-below:weak', 'forged-results:weak'],
    },
    {
      what: 'right below a stranger',
      text: way(from('mail.evil.test (mail.evil.test [192.0.2.66])'), auth, forged),
      headline: /^contradicts itself/,
      has: ['own-host-below:strong', 'forged-results:strong'],
    },
    ...['mail.evil.test', 'unknown'].map((name) => ({
      what: `our name said by ${name}`,
      text: way(from(`mx.us.test (${name} [192.0.2.66])`), forged),
      headline: /^contradicts itself/,
      has: ['own-host-below:strong', 'own-helo:strong'],
    })),
    {
      what: 'our domain said by a stranger',
      text: way(from('us.test (unknown [192.0.2.66])')),
      has: ['own-helo:strong'],
    },
    {
      what: 'our name said to a host that does not ask the DNS',
      text: way(line('mx.us.test (192.0.2.66)', 'mx.us.test', 'with Microsoft SMTP Server id 15')),
      has: ['own-helo:weak'],
    },
    {
      what: 'a child of our domain',
      text: message({ From: 'ceo@hr.us.test' }),
      has: ['own-domain:weak'],
    },
  ]);
});

test('a boundary that does not join the line below it is told', async () => {
  const other = line('x.test (x.test [198.51.100.1])', 'smtp.bank.test', ID);
  const own = line('x.test (x.test [198.51.100.1])', 'mail.example.org', ID);
  await holds([
    { what: 'another', text: way(BOUNDARY, other), has: ['chain-break:context'] },
    { what: 'the same', text: way(BOUNDARY, own), not: ['chain-break'] },
  ]);
});

test('claimed lines: days and addresses that are none, and zones that are', async () => {
  const none = ['Mon, 30 Feb 2026 05:00:01 +0000', 'Sun, 22 Nov 2026 08:59:61 +0000'];
  none.push('Sun, 22 Nov 2026 05:00:01 -0860', 'Sun, 22 Nov 2026 05:00:01 -9900');
  const good = ['Sun, 22 Nov 2026 05:00:01 -0400 (CDT)', 'Sat, 21 Nov 2026 23:59:60 +0000'];
  await holds([
    ...none.map((date) => ({ what: date, text: dated(date), has: ['impossible-line:strong'] })),
    ...good.map((date) => ({ what: date, text: dated(date), not: ['impossible-line'] })),
    {
      what: 'no date at all',
      text: dated('').replace('C0F3; \r\nFrom', 'C0F3\r\nFrom'),
      has: ['impossible-line:strong'],
    },
    {
      what: 'another day of the week',
      text: dated('Tue, 22 Nov 2026 09:00:01 +0000'),
      has: ['impossible-line:weak'],
      says: /that day was a Sunday/,
    },
    {
      what: 'no address',
      text: dated('Sun, 22 Nov 2026 09:00:01 +0000', 'x.test (x.test [999.1.2.3])'),
      has: ['impossible-line:strong'],
    },
    {
      what: 'Date on another day of the week',
      text: message({ Date: 'Mon, 22 Nov 2026 09:00:00 +0000' }),
      has: ['date:weak'],
      says: /that day was a Sunday/,
    },
  ]);
});

test('a private client is no host of the author’s: SPF and DMARC cannot fail for it', async () => {
  const below = line('mail.example.org (mail.example.org [192.0.2.1])', 'gw.us.test', ID);
  const clients = ['gw.us.test (gw.us.test [10.0.0.9])', 'localhost (localhost [127.0.0.1])'];
  await holds(
    clients.map((client) => ({
      what: client,
      text: `Return-Path: <alice@example.org>\r\n${way(line(client, 'mx.us.test', ID), below)}`,
      trust: DNS,
      headline: /^cannot be determined \(SPF: the client [\d.]+ is of a private network\)/,
    })),
  );
});

test('what our own hosts signed behind the boundary was not signed too late', async () => {
  const later = Date.UTC(2026, 10, 22, 9, 30);
  const inside = line('localhost (localhost [127.0.0.1])', 'mx.us.test', ID, '09:30:01 +0000');
  const again = inside + signed(message(), OWN, { atMs: later });
  const before = BOUNDARY + signed(message({}, { boundary: '' }), OWN, { atMs: later });
  await holds([
    { what: 'signed again', text: again, trust: DNS, not: ['dkim-later'] },
    { what: 'signed by a stranger', text: before, trust: DNS, has: ['dkim-later:strong'] },
  ]);
});

test('a forwarder’s MAIL FROM tells for whom; Exchange’s two times of arrival are compared', async () => {
  const srs = 'Return-Path: <SRS0=HHH=TT=example.org=alice@fwd.test>\r\n';
  await holds([
    {
      what: 'SRS',
      text: message({}, { top: srs }),
      says: /fwd\.test, who .* for alice@example\.org/,
    },
    {
      what: 'the same time',
      text: arrival('22 Nov 2026 09:00:00.0000 (UTC) FILETIME=[DAA96800:01DD7A5F]'),
      not: ['arrival-time'],
    },
    {
      what: 'another time',
      text: arrival('22 Nov 2026 09:00:01.0000 (UTC) FILETIME=[01D0A1B2:01D5A1B2]'),
      has: ['arrival-time:strong'],
    },
  ]);
});

test('of a head that was cut nothing is said to be missing', async () => {
  const text = `${BOUNDARY}X-Long: ${'a'.repeat(300_000)}\r\nFrom: a@example.org\r\n\r\n`;
  await holds([
    {
      what: 'cut',
      text: octets(text),
      headline: /^cannot be determined \(the header is too long\)/,
      not: ['from-missing', 'date', 'message-id'],
    },
  ]);
});

/** How much answers to an address are worth, and in how many percent of ordinary mail they were. */
async function answersTo(address: string): Promise<readonly unknown[]> {
  const { conclusions } = await examined(message({ 'Reply-To': address }));
  const found = conclusions.findings.find(({ sign }) => sign.id === 'reply-to');
  return [found?.strength, found?.rates?.easyHam];
}

test('what was observed of a sign is not said of a case that is worth something else', async () => {
  assert.deepEqual(await answersTo('a@other.test'), ['context', 19]);
  assert.deepEqual(await answersTo('a@gmail.com'), ['strong', undefined]);
});
