/** The auditor against Debian's Postfix: stock, catch-all, relaying, routing for strangers, XCLIENT. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { run, without } from './tools.ts';

const isRoot = process.getuid?.() === 0;
const skip =
  without('postfix', 'openssl', 'unshare', 'ip', 'mount') || (isRoot ? false : 'needs root');

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
  const world = path.join(import.meta.dirname, 'auditor-postfix-world.ts');
  const inside = `ip link set lo up && exec ${process.execPath} ${world}`;
  const { code, output } = await run('unshare', ['-n', '-m', 'sh', '-c', inside], {
    timeoutMs: 180_000,
  });
  assert.equal(code, 0, output);
  for (const line of EXPECTED) assert.ok(output.includes(`\nok: ${line}`), `${line}\n${output}`);
});
