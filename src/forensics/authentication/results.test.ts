/** Tests of which Authentication-Results are believed: hundreds of forged ones, none is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
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
