/** The auditor against Debian's Postfix and Dovecot: old TLS and bad certificates, and their cure. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { run, without } from './tools.ts';

const isRoot = process.getuid?.() === 0;
const skip =
  without('postfix', 'dovecot', 'doveadm', 'openssl', 'unshare', 'ip', 'mount') ||
  (isRoot ? false : 'needs root');

const EXPECTED = [
  'postfix: TLS 1.0 and 1.1 are found',
  'postfix: the bad certificate is found',
  'postfix: anonymous ciphers are found',
  'postfix: on port 25 all of it is mild',
  'postfix cured: none of it is found',
  'dovecot: TLS 1.0 and 1.1 are found',
  'dovecot: the bad certificate is found',
  'dovecot: where users log in it is grave',
  'dovecot cured: none of it is found',
];

test(
  'old TLS and bad certificates of real servers are found, their cure is seen',
  { skip },
  async () => {
    const world = path.join(import.meta.dirname, 'auditor-tls-world.ts');
    const inside = `ip link set lo up && exec ${process.execPath} ${world}`;
    const { code, output } = await run('unshare', ['-n', '-m', 'sh', '-c', inside], {
      timeoutMs: 120_000,
    });
    assert.equal(code, 0, output);
    for (const line of EXPECTED) assert.ok(output.includes(`\nok: ${line}`), `${line}\n${output}`);
  },
);
