/** Smuggling against Debian's Postfix: exactly the sequences that it is known for, and none when cured. */

import { test } from 'node:test';
import { withoutNamespace, world } from './namespace.ts';

const skip = withoutNamespace('postfix', 'openssl');

const EXPECTED = [
  'stock, round 1: the 8 exploitable sequences',
  'stock, round 1: the 9 that nobody can produce',
  'stock, round 3: the 8 exploitable sequences',
  'stock, round 3: the 9 that nobody can produce',
  'stock: they are confirmed and high',
  'stock: none of the other families',
  'stock: under 60 s',
  'stock: what a setting mends is found',
  'mended: by the settings that the checks name',
  'cured: no sequence is left',
];

test(
  'a real Postfix ends data at 17 sequences, 8 of them exploitable; cured at none',
  { skip },
  async () => {
    await world('auditor-smuggling-world.ts', { expected: EXPECTED, timeoutMs: 300_000 });
  },
);
