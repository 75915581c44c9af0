/** Addresses of sockets: one form for each. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf, isAddress, normalAddress } from './endpoint.ts';

test('one form for each address', () => {
  const table: readonly [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:0201', '192.0.2.1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
  ];
  for (const [from, to] of table) assert.equal(normalAddress(from), to);
});

test('an end that the socket has lost is none', () => {
  assert.equal(endpointOf(undefined, 25), undefined);
  assert.equal(endpointOf('::1', undefined), undefined);
});

test('names are no addresses', () => {
  assert.equal(isAddress('localhost'), false);
  assert.equal(isAddress('::1'), true);
});
