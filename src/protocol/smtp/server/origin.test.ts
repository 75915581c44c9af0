/** Bare names in the envelope: completed on submission, refused elsewhere. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomain } from '#base/domain.ts';
import { completed, readPath } from './path.ts';
import { smtpSettings } from './options.ts';

const origin = parseDomain('a.test')!;
const hostname = parseDomain('mx.a.test')!;
const nonce = () => new Uint8Array(18);

test('a bare name gets the origin, what has a domain or is no name does not', () => {
  const cases: [string, string | undefined][] = [
    ['<alice>', 'alice@a.test'],
    ['<"al ice">', '"al ice"@a.test'],
    ['<a..b>', undefined],
    ['<>', undefined],
    ['<alice@b.test>', undefined],
    ['<alice@>', undefined],
    ['<|/bin/sh>', '|/bin/sh@a.test'],
  ];
  for (const [text, expected] of cases) {
    const address = completed(readPath(text)!, origin);
    const found = address === undefined ? undefined : `${address.localPart}@${address.domain}`;
    assert.equal(found, expected, text);
    assert.equal(completed(readPath(text)!, undefined), undefined);
  }
});

test('only submission has an origin', () => {
  for (const mode of ['smtp', 'lmtp'] as const) {
    assert.equal(smtpSettings({ hostname, nonce, origin, mode }).origin, undefined);
  }
  assert.equal(smtpSettings({ hostname, nonce, origin, mode: 'submission' }).origin, origin);
});
