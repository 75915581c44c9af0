/** Debian's Postfix as the other MTA, on both sides of Postern, in a network of their own. */

import { test } from 'node:test';
import { withoutNamespace, world } from './namespace.ts';

const skip = withoutNamespace('postfix', 'openssl');

test('mail and bounces go both ways between Postern and Postfix', { skip }, async () => {
  // Port 25, port 53 and resolv.conf belong to the world.
  const expected = [
    'postern to postfix',
    'postfix to postern',
    'lmtp behind postfix',
    'bounce from postfix',
    'bounce from postern',
  ];
  await world('postfix-world.ts', { expected, timeoutMs: 120_000 });
});
