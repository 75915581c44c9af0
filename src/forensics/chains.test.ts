/** Tests with ARC chains that are whole, broken in the middle, or without a key: none is a verdict. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import { splitMessage } from '#message/edit.ts';
import { sealMessage } from '#trust/arc/seal.ts';
import { SignatureVerification } from '#trust/arc/verification.ts';
import { hashBody } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import { SIGNING_WANT } from '#trust/dkim/sign.ts';
import { type Zone, keySource, testKey } from '#trust/dkim/testing.ts';
import { zoneResolver } from '#test/vectors/zone.ts';
import type { Examined } from './examine.ts';
import { BOUNDARY, NOW_MS, US, examined, message } from './testing.ts';

const SEALERS = ['one', 'two', 'three'].map((name) =>
  testKey('ed25519-sha256', `${name}.test`, 'arc'),
);
const KEYS: Zone = Object.assign({}, ...SEALERS.map(({ zone }) => zone));
const RESULTS = 'mx.us.test; dmarc=pass header.from=bank.test; dkim=pass header.d=bank.test';

/** A message of the bank that three forwarders sealed, as it lies with the last of them. */
async function sealed(): Promise<string> {
  let text = message({ From: 'a@bank.test' }, { boundary: '' });
  for (const key of SEALERS) {
    const { head, body } = splitMessage(fromLatin1(text));
    const verification = new SignatureVerification(head, keySource(KEYS));
    verification.write(body);
    const { arc } = await verification.finish(NOW_MS);
    const digests = hashBody(body, [SIGNING_WANT]);
    const options = { atMs: NOW_MS };
    const set = sealMessage(new SignedHead(head), digests, arc, RESULTS, key, options);
    assert.ok(set !== undefined);
    text = set.join('') + text;
  }
  return text;
}

function read(text: string, change: Zone = {}): Promise<Examined> {
  const names = Object.entries({ ...KEYS, ...change });
  const zone = names.map(([name, txt]) => [name, Array.isArray(txt) ? { txt } : {}]);
  const trust = { ...US, resolver: zoneResolver(Object.fromEntries(zone)) };
  return examined(BOUNDARY + text, trust);
}

test('a whole chain is read, and is only what its sealers claim', async () => {
  const one = await read(await sealed());
  const { arc } = one.authentication.signatures;
  assert.deepEqual([arc.status, arc.sets.length], ['pass', 3], arc.reason);
  assert.notEqual(one.conclusions.headline.kind, 'authenticated');
  assert.deepEqual(one.authentication.aligned, []);
});

test('a chain that is broken in the middle fails, wherever and however', async () => {
  const text = await sealed();
  const set = /(?:ARC-[^\r\n]*i=2;[^]*?\r\n(?![ \t]))+/;
  const [second = ''] = set.exec(text) ?? [];
  assert.equal(second.match(/^ARC-/gm)?.length, 3, second);
  const broken: readonly (readonly [how: string, text: string])[] = [
    ['a set is gone', text.replace(second, '')],
    ['a set is there twice', text.replace(second, second + second)],
    ['what it claims was changed', text.replace(second, second.replace('bank', 'sank'))],
    ['its chain failed', text.replace(second, second.replace('cv=pass', 'cv=fail'))],
    ['it is the first', text.replace(second, second.replace('cv=pass', 'cv=none'))],
    ['its seal is gone', text.replace(second, second.replace(/ARC-Seal[^]*?\r\n(?![ \t])/, ''))],
    ['another number', text.replace(second, second.replaceAll('i=2', 'i=4'))],
    ['the body was changed', text.replace('Hi.', 'Pay.')],
  ];
  for (const [how, changed] of broken) {
    assert.notEqual(changed, text, how);
    const { authentication, conclusions } = await read(changed);
    assert.equal(authentication.signatures.arc.status, 'fail', how);
    assert.notEqual(conclusions.headline.kind, 'authenticated', how);
  }
});

test('a chain without a key, or with a revoked one, is unknown and never failed', async () => {
  const text = await sealed();
  for (const [name] of Object.entries(KEYS)) {
    for (const change of ['nodata', ['v=DKIM1; k=ed25519; p=']] as const) {
      const { arc } = (await read(text, { [name]: change })).authentication.signatures;
      assert.equal(arc.status, 'unknown', `${name} ${change}: ${arc.reason}`);
    }
  }
});
