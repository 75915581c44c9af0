/** Tests of where a stranger's DNS may send us. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReachable } from './reach.ts';

test('loopback in every dress', () => {
  const inside = ['127.0.0.1', '127.9.9.9', '0.0.0.0', '0.1.2.3', '::', '::1', '::ffff:127.0.0.1'];
  const more = [
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '0:0:0:0:0:0:0:1',
    '::ffff:0.0.0.0',
  ];
  for (const address of [...inside, ...more, 'localhost', '', '127.1']) {
    assert.equal(
      isReachable(address, { permitLoopback: false, permitPrivate: true }),
      false,
      address,
    );
    assert.equal(
      isReachable(address, { permitLoopback: true, permitPrivate: false }),
      true,
      address,
    );
  }
  for (const address of [
    '192.0.2.1',
    '10.0.0.1',
    '128.0.0.1',
    '2001:db8::1',
    '::ffff:192.0.2.1',
    'fe80::1',
  ]) {
    assert.equal(
      isReachable(address, { permitLoopback: false, permitPrivate: true }),
      true,
      address,
    );
  }
});
