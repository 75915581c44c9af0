/** The auditor against Debian's Postfix and Dovecot: old TLS and bad certificates, and their cure. */

import { test } from 'node:test';
import { withoutNamespace, world } from './namespace.ts';

const skip = withoutNamespace('postfix', 'dovecot', 'doveadm', 'openssl');

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
    await world('auditor-tls-world.ts', { expected: EXPECTED, timeoutMs: 120_000 });
  },
);
