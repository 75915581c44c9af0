/** The auditor against Debian's Postfix: stock, catch-all, relaying, routing for strangers, XCLIENT. */

import { test } from 'node:test';
import { withoutNamespace, world } from './namespace.ts';

const skip = withoutNamespace('postfix', 'openssl');

const EXPECTED = [
  'stock: RCPT tells exactly the users that are there',
  'stock: VRFY tells exactly the users that are there (252 and 550)',
  'stock: relays in no form',
  'stock: XCLIENT is not trusted',
  'tarpit: everybody found, at its pace',
  '450 for unknown: everybody found',
  'catch-all: recognised within 12 probes, nobody invented',
  'catch-all: no relay',
  'relaying: arrived at the canary',
  'routing: R17 accepted, none of the sixteen was',
  'xclient: accepted from a stranger, and a relay by it',
  'xclient: no plain form',
  'speed: the method beside us finds everybody',
  'speed: twice as many names a second',
  'speed: 1,668 names a second',
  'speed: at most an eighth of the connections',
  'speed: nothing missed, nothing invented',
];

test('weaknesses of a real Postfix are found, its twins have none', { skip }, async () => {
  await world('auditor-postfix-world.ts', { expected: EXPECTED, timeoutMs: 180_000 });
});
