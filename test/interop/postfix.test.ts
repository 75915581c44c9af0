/** Debian's Postfix as the other MTA, on both sides of Postern, in a network of their own. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { run, without } from './tools.ts';

const isRoot = process.getuid?.() === 0;
const skip =
  without('postfix', 'openssl', 'unshare', 'ip', 'mount') || (isRoot ? false : 'needs root');

test('mail and bounces go both ways between Postern and Postfix', { skip }, async () => {
  const world = path.join(import.meta.dirname, 'postfix-world.ts');
  // A network and a file tree of its own: port 25, port 53 and resolv.conf belong to the test.
  const lo =
    'ip link set lo up && ip addr add 127.0.0.2/8 dev lo && ip addr add 127.0.0.3/8 dev lo';
  const inside = `${lo} && exec ${process.execPath} ${world}`;
  const { code, output } = await run('unshare', ['-n', '-m', 'sh', '-c', inside], {
    timeoutMs: 120_000,
  });
  assert.equal(code, 0, output);
  for (const line of [
    'postern to postfix',
    'postfix to postern',
    'lmtp behind postfix',
    'bounce from postfix',
    'bounce from postern',
  ]) {
    assert.match(output, new RegExp(`ok: ${line}`), output);
  }
});
