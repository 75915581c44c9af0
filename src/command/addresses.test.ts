/** Which addresses are published: those that strangers reach. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublicAddress } from './addresses.ts';

test('addresses that no stranger reaches are not published', () => {
  const inside =
    '0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.1.1 172.31.0.1 192.168.1.1 224.0.0.1 ' +
    '255.255.255.255 :: ::1 fd00::1 fe80::1 ff02::1 ::ffff:10.0.0.1';
  for (const address of inside.split(' ')) assert.equal(isPublicAddress(address), false, address);
  // The neighbours of those networks belong to the world.
  const outside =
    '9.255.255.255 100.63.0.1 100.128.0.1 172.15.0.1 172.32.0.1 198.18.0.1 223.1.1.1 2001:db8::1';
  for (const address of outside.split(' ')) assert.equal(isPublicAddress(address), true, address);
});
