/** Tests with the 22 spoofing cases of a published test suite, rebuilt: none passes for the victim. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { type ZoneName, zoneResolver } from '#test/vectors/zone.ts';
import { examine } from './examine.ts';
import { type Trust, examineOptions } from './testing.ts';

const VICTIM = 'legitimate.test';
const ATTACKER = 'attack.test';
const KEY = testKey('rsa-sha256', ATTACKER, 'sel');
const GOOD = testKey('rsa-sha256', VICTIM, 'good');

const ZONE: Record<string, ZoneName> = {
  [ATTACKER]: { txt: ['v=spf1 ip4:192.0.2.66 -all'], a: ['192.0.2.66'] },
  [VICTIM]: { txt: ['v=spf1 ip4:192.0.2.1 -all'], a: ['192.0.2.1'] },
  [`_dmarc.${VICTIM}`]: { txt: ['v=DMARC1; p=reject'] },
  [`sel._domainkey.${ATTACKER}`]: { txt: [KEY.record] },
  [`good._domainkey.${VICTIM}`]: { txt: [GOOD.record] },
};

interface Spoof {
  readonly id: string;
  readonly mailFrom?: string;
  /** Lines in place of From. */
  readonly from: string;
  readonly more?: string;
}

const TO_VICTIM = `From: <admin@${VICTIM}>\r\n`;

/** a: by a server; c: by a client that has logged in at its own provider. */
const CASES: readonly Spoof[] = [
  {
    id: 'a1 MAIL FROM of a subdomain that is not there',
    mailFrom: `any@none.${VICTIM}`,
    from: TO_VICTIM,
  },
  { id: 'a2 an odd MAIL FROM', mailFrom: `(any@${VICTIM}`, from: TO_VICTIM },
  {
    id: 'a3 NUL in s=',
    from: TO_VICTIM,
    more: `DKIM-Signature: v=1; a=rsa-sha256; d=${VICTIM}; s=sel._domainkey.${ATTACKER}.\0.any; h=from; bh=AAAA; b=AAAA\r\n`,
  },
  {
    id: 'a4 quote in d=',
    from: TO_VICTIM,
    more: `DKIM-Signature: v=1; a=rsa-sha256; d=${VICTIM}'a.${ATTACKER}; s=sel; h=from; bh=AAAA; b=AAAA\r\n`,
  },
  { id: 'a5 parenthesis in MAIL FROM', mailFrom: `any@${VICTIM}(a.${ATTACKER}`, from: TO_VICTIM },
  { id: 'a6 quote in MAIL FROM', mailFrom: `any@${VICTIM}'@any.${ATTACKER}`, from: TO_VICTIM },
  {
    id: 'a7 route in MAIL FROM',
    mailFrom: `@${VICTIM},@any.com:'any@${ATTACKER}`,
    from: TO_VICTIM,
  },
  { id: 'a8 two From', from: `From: <first@${ATTACKER}>\r\n${TO_VICTIM}` },
  { id: 'a9 a blank before From', from: ` ${TO_VICTIM}From: <any@${ATTACKER}>\r\n` },
  {
    id: 'a10 a blank before the colon',
    from: `From : <admin@${VICTIM}>\r\nFrom: <any@${ATTACKER}>\r\n`,
  },
  {
    id: 'a11 a fold before the colon',
    from: `From\r\n : <admin@${VICTIM}>\r\nFrom: <any@${ATTACKER}>\r\n`,
  },
  { id: 'a12 From and Sender', from: `${TO_VICTIM}Sender: <s@${ATTACKER}>\r\n` },
  { id: 'a13 From and Resent-From', from: `${TO_VICTIM}Resent-From: <s@${ATTACKER}>\r\n` },
  { id: 'a14 two addresses', from: `From: <first@${ATTACKER}>, <admin@${VICTIM}>\r\n` },
  {
    id: 'a15 an encoded address',
    from: `From: =?utf-8?b?${Buffer.from(`<admin@${VICTIM}>`).toString('base64')}?= <any@${ATTACKER}>\r\n`,
  },
  { id: 'a16 a route', from: `From: <@${ATTACKER},@any.com:admin@${VICTIM}>\r\n` },
  { id: 'a17 a backslash', from: `From: <admin@${VICTIM}>\\,<second@${ATTACKER}>\r\n` },
  {
    id: 'a18 an address before the brackets',
    from: `From: admin@${VICTIM},<second@${ATTACKER}>\r\n`,
  },
  { id: 'a19 an address behind the brackets', from: `From: <any@${ATTACKER}>admin@${VICTIM}\r\n` },
  { id: 'c1 two From, logged in', from: `From: <oscar@${ATTACKER}>\r\n${TO_VICTIM}` },
  { id: 'c2 two addresses, logged in', from: `From: <oscar@${ATTACKER}>,<admin@${VICTIM}>\r\n` },
  { id: 'c3 somebody else, logged in', from: TO_VICTIM },
];

const REST =
  'To: <victim@us.test>\r\nSubject: Hello\r\nDate: Sun, 22 Nov 2026 09:00:00 +0000\r\n' +
  'Message-ID: <1@x.test>\r\n';

/** As our host hands it over: its lines on top, the attacker's claims below. */
function received(mailFrom: string, ip: string, message: string): string {
  return (
    `Return-Path: <${mailFrom}>\r\n` +
    `Received: from ${ATTACKER} (${ATTACKER} [${ip}])\r\n\tby mx.us.test (Postfix) with ESMTPS\r\n` +
    `\tid 4F2A81C0F3; Sun, 22 Nov 2026 09:00:05 +0000\r\n` +
    `${message}`
  );
}

const FORGED = `Authentication-Results: mx.us.test; dmarc=pass header.from=${VICTIM}\r\n`;

test('the 22 spoofing cases are never shown as authenticated as the victim', async () => {
  assert.equal(CASES.length, 22);
  const trust: Trust = { mx: ['mx.us.test'], ids: ['mx.us.test'], resolver: zoneResolver(ZONE) };
  for (const { id, mailFrom = `any@${ATTACKER}`, from, more = '' } of CASES) {
    const plain = `${more}${from}${REST}\r\nHi.\r\n`;
    // `From` must be first where the case is about the first line.
    for (const [how, text] of [
      ['unsigned', plain],
      ['signed by the attacker', signed(plain, KEY)],
      ['with forged results', `${FORGED}${plain}`],
    ] as const) {
      const whole = received(mailFrom, '192.0.2.66', text);
      const { conclusions } = await examine(id, fromLatin1(whole), examineOptions(trust));
      const { headline } = conclusions;
      const victim = headline.kind === 'authenticated' && headline.domain.endsWith(VICTIM);
      assert.ok(!victim, `${id}, ${how}: ${JSON.stringify(headline)}`);
      assert.ok(
        !/as shown/.test(conclusions.responsible.text) ||
          headline.kind !== 'authenticated' ||
          headline.domain === ATTACKER,
        id,
      );
    }
  }
});

test('the control: the victim’s own mail is authenticated, by signature and by address', async () => {
  const trust: Trust = { mx: ['mx.us.test'], ids: ['mx.us.test'], resolver: zoneResolver(ZONE) };
  const mail = `${TO_VICTIM}${REST}\r\nHi.\r\n`;
  const proved = { kind: 'authenticated', domain: VICTIM, grade: 'P' };
  const signedMail = received(`any@${ATTACKER}`, '192.0.2.66', signed(mail, GOOD));
  const bySignature = await examine('s', fromLatin1(signedMail), examineOptions(trust));
  assert.deepEqual(bySignature.conclusions.headline, proved);
  const sent = received(`admin@${VICTIM}`, '192.0.2.1', mail);
  const byAddress = await examine('a', fromLatin1(sent), examineOptions(trust));
  // The address is our host's word, no proof of ours.
  assert.deepEqual(byAddress.conclusions.headline, { ...proved, grade: 'T' });
});
