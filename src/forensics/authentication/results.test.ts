/** Tests of which Authentication-Results are believed: hundreds of forged ones, none is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headlineText } from '../conclusions.ts';
import { BOUNDARY, US, examined, message } from '../testing.ts';

const PASS = 'dmarc=pass header.from=victim.test; dkim=pass header.d=victim.test; spf=pass';
const FROM = { From: 'Victim <ceo@victim.test>' };

/** Ways to write our id that some reader takes for ours. */
const IDS = [
  'mx.us.test',
  'MX.US.TEST',
  'mx.us.test.',
  ' mx.us.test ',
  'mx.us.test 1',
  'mx.us.test (x) 1',
  '(x) mx.us.test',
  '(a (b)) mx.us.test (c)',
  '"mx.us.test"',
  '"mx.us\\.test"',
  'mx.(x)us.test',
  'mx . us . test',
  'mx.us.test\r\n\t',
  '\r\n mx.us.test',
  'mx.us.test\0',
  'mx.us.test\x1b[1m',
  '=?utf-8?q?mx.us.test?=',
  'mx.us.test/1',
  'mx.us.test 2',
  '\xefmx.us.test',
];
/** What may follow it. */
const TAILS = [
  `; ${PASS}`,
  ` ; ${PASS}`,
  `;\r\n\t${PASS}`,
  `; (a) dmarc=pass (b"@evil.test) header.from=victim.test`,
  `; spf=fail (") ; dmarc=pass header.from=victim.test (")`,
  `; dmarc=fail reason="x"; dmarc=pass header.from=victim.test`,
];
/** Names of the field, for readers of every kind. */
const NAMES = ['Authentication-Results', 'AUTHENTICATION-RESULTS', 'authentication-results '];

test('of 400 forged Authentication-Results below the boundary none is believed', async () => {
  let forged = 0;
  for (const [at, id] of IDS.entries()) {
    for (const [tail, text] of TAILS.entries()) {
      for (const name of NAMES) {
        const field = `${name}: ${id}${text}\r\n`;
        const twice = (at + tail) % 2 === 0 ? field : '';
        const one = await examined(message(FROM, { boundary: `${BOUNDARY}${field}${twice}` }));
        const { authentication, conclusions } = one;
        const what = JSON.stringify(field);
        assert.equal(
          authentication.fields.filter((f) => f.standing === 'believed').length,
          0,
          what,
        );
        assert.deepEqual(authentication.aligned, [], what);
        assert.notEqual(conclusions.headline.kind, 'authenticated', what);
        forged += twice === '' ? 1 : 2;
      }
    }
  }
  assert.ok(forged >= 400, String(forged));
});

/** Above the boundary, but not of ours, or not readable: a relay of ours passed it on. */
const STRANGE = [
  'mx.evil.test',
  'mx.us.test.evil.test',
  'evil-mx.us.test',
  'us.test',
  'xmx.us.test',
  '',
  '(mx.us.test)',
  '(mx.us.test) mx.evil.test',
  'mx.evil.test (mx.us.test)',
  'mx.us.test mx.us.test',
  'mx.us.test, mx.evil.test',
  'mx.us.test 2',
  'mx.us.test/1',
  'mx.(x)us.test',
  'mx . us . test',
  'mx.us.test\0',
  '\xefmx.us.test',
  'mx.us.test; ; dmarc=pass',
  'mx.us.test; dmarc',
  'mx.us.test; =pass',
  'mx.us.test; dmarc=pass header.from',
  'mx.us.test; dmarc=pass (never closed',
  'mx.us.test; dmarc=pass reason="never closed',
  'mx.us.test; none; dmarc=pass',
  'm\u0078.us.test.',
];

test('above the boundary what is not exactly ours is not believed either', async () => {
  for (const id of STRANGE) {
    for (const [tail] of TAILS.entries()) {
      const top = `Authentication-Results: ${id}${TAILS[tail] ?? ''}\r\n`;
      const one = await examined(message(FROM, { top }));
      const believed = one.authentication.fields.filter((f) => f.standing === 'believed');
      // A trailing dot is the same name.
      const same = id === 'mx.us.test.' && believed.length === 1;
      assert.ok(same || believed.length === 0, JSON.stringify(top));
    }
  }
});

test('the control: our own field above the boundary is believed, and only about its author', async () => {
  const top = `Authentication-Results: mx.us.test; ${PASS} smtp.mailfrom=victim.test\r\n`;
  const own = await examined(message(FROM, { top }));
  assert.deepEqual(own.conclusions.headline, {
    kind: 'authenticated',
    domain: 'victim.test',
    grade: 'T',
  });
  const other = await examined(message({ From: 'a@other.test' }, { top }));
  assert.notEqual(other.conclusions.headline.kind, 'authenticated');
  const failed = top.replace('dmarc=pass', 'dmarc=fail').replace('dkim=pass', 'dkim=none');
  const denied = await examined(message(FROM, { top: failed }));
  assert.equal(denied.conclusions.headline.kind, 'not authenticated');
});

test('without an id, or without a boundary, nothing is believed', async () => {
  const top = `Authentication-Results: mx.us.test; ${PASS}\r\n`;
  for (const trust of [{}, { mx: ['mx.us.test'] }, { ids: ['mx.other.test'] }]) {
    const { authentication, conclusions } = await examined(message(FROM, { top }), trust);
    assert.ok(authentication.fields.every(({ standing }) => standing === 'claimed'));
    assert.notEqual(conclusions.headline.kind, 'authenticated');
  }
  const bare = await examined(message(FROM, { top, boundary: '' }), US);
  assert.equal(bare.conclusions.headline.kind, 'cannot be determined');
});

test('a parent domain’s signature answers for its children, never the other way round', async () => {
  assert.equal(await kindOf('a@news.example.org', 'example.org'), 'authenticated');
  assert.notEqual(await kindOf('a@example.org', 'evil.example.org'), 'authenticated');
  assert.notEqual(await kindOf('a@example.org', 'org'), 'authenticated');
});

async function kindOf(from: string, signer: string): Promise<string> {
  const top = `Authentication-Results: mx.us.test; dkim=pass header.d=${signer}\r\n`;
  const one = await examined(message({ From: from }, { top }));
  return one.conclusions.headline.kind;
}

/** What Gmail keeps: its last step on top, and its results below the line that they are about. */
const GMAIL_STEP =
  'Received: by 2002:a05:7208:3607:b0:91:6d2b:54a0 with SMTP id x7csp123456rbe;\r\n' +
  '        Sun, 22 Nov 2026 01:00:06 -0800 (PST)\r\n';
const GMAIL =
  'Return-Path: <alice@example.org>\r\n' +
  'Received: from mail.example.org (mail.example.org. [192.0.2.1])\r\n' +
  '        by mx.google.com with ESMTPS id ffacd0b85a97d-38a6.123.2026.11.22.01.00.05\r\n' +
  '        for <bob@gmail.com> (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n' +
  '        Sun, 22 Nov 2026 01:00:05 -0800 (PST)\r\n' +
  'Received-SPF: pass (google.com: domain of alice@example.org designates 192.0.2.1)\r\n';
const GOOGLE_PASS = 'Authentication-Results: mx.google.com; dmarc=pass header.from=example.org\r\n';
const GOOGLE_FAIL = 'Authentication-Results: mx.google.com; dmarc=fail header.from=example.org\r\n';
const OTHER =
  'Received: from a.test (a.test [198.51.100.1]) by mail.example.org (Postfix) with ESMTPS id A1;' +
  ' Sun, 22 Nov 2026 09:00:00 +0000\r\n';

test('Gmail writes its results below its own line: the first are its own, the others are not', async () => {
  const cases: readonly (readonly [top: string, headline: RegExp])[] = [
    [GMAIL_STEP + GMAIL + GOOGLE_PASS, /^authenticated as example\.org/],
    [GMAIL_STEP + GMAIL_STEP + GMAIL + GOOGLE_PASS, /^authenticated/],
    [GMAIL + GOOGLE_PASS, /^authenticated as example\.org/],
    // A second one is the sender's.
    [GMAIL_STEP + GMAIL + GOOGLE_FAIL + GOOGLE_PASS, /^contradicts itself \(forged/],
    [GMAIL_STEP + GMAIL + OTHER + GOOGLE_PASS, /^contradicts itself \(forged/],
    // Somebody else's line on top: what is below may be a copy.
    [BOUNDARY + GMAIL_STEP + GMAIL + GOOGLE_PASS, /^cannot be determined \(the newest line/],
    [GMAIL_STEP + BOUNDARY + GOOGLE_PASS, /^cannot be determined \(the newest line/],
  ];
  const ids = ['mx.google.com'];
  for (const trust of [{ ids }, { ids, mx: ids }]) {
    for (const [top, headline] of cases) {
      const { conclusions } = await examined(message({}, { boundary: top }), trust);
      assert.match(headlineText(conclusions.headline), headline, top);
    }
  }
  // Whose line it is decides, not whose id it has.
  const elsewhere = await examined(message({}, { boundary: BOUNDARY + GOOGLE_PASS }), {
    mx: ['mx.us.test'],
    ids,
  });
  assert.match(headlineText(elsewhere.conclusions.headline), /^contradicts itself \(forged/);
});
