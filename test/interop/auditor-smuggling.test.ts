/** Smuggling against Debian's Postfix: exactly the sequences that it is known for, and none when cured. */

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { run, without } from './tools.ts';

const isRoot = process.getuid?.() === 0;
const skip =
  without('postfix', 'openssl', 'unshare', 'ip', 'mount') || (isRoot ? false : 'needs root');

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
    const world = path.join(import.meta.dirname, 'auditor-smuggling-world.ts');
    const inside = `ip link set lo up && exec ${process.execPath} ${world}`;
    const { code, output } = await run('unshare', ['-n', '-m', 'sh', '-c', inside], {
      timeoutMs: 300_000,
    });
    assert.equal(code, 0, output);
    for (const line of EXPECTED) assert.ok(output.includes(`\nok: ${line}`), `${line}\n${output}`);
  },
);
