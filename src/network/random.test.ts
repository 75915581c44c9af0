/** Randomness: the length that was asked for, never the same octets twice, none left over. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from './random.ts';

test('octets of every length, all different, their own to change', () => {
  const seen = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    for (let length = 0; length <= 200; length += 1) {
      const bytes = systemRandom.bytes(length);
      assert.equal(bytes.length, length);
      if (length < 12) continue;
      const text = hex(bytes);
      assert.ok(!seen.has(text), `octets of ${length} came twice`);
      seen.add(text);
      assert.ok(bytes.some((octet) => octet !== 0));
      bytes.fill(0);
    }
  }
});

test('small wishes do not share memory', () => {
  const [first, second] = [systemRandom.bytes(16), systemRandom.bytes(16)];
  const before = hex(second);
  first.fill(0xff);
  assert.equal(hex(second), before);
  assert.equal(first.buffer.byteLength, 16);
});

test('all values come about equally often', () => {
  const counts = new Uint32Array(256);
  for (let n = 0; n < 4_000; n += 1)
    for (const octet of systemRandom.bytes(64)) counts[octet]! += 1;
  // 1,000 expected each; the chance that one of them is out by 250 is below one in 10^12.
  for (const count of counts) assert.ok(count > 750 && count < 1_250, `${count}`);
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
