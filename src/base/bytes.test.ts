/** Searching octets by words: the same answer as octet by octet, wherever the memory begins. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, constantFrom, integer, oneof, property, uint8Array } from 'fast-check';
import { cutOut, endOfPlain, wordsOf } from './bytes.ts';

function slowly(bytes: Uint8Array, from: number, to: number): number {
  const found = bytes.subarray(from, to).findIndex((octet) => [0, 10, 13].includes(octet));
  return found < 0 ? to : from + found;
}

test('endOfPlain finds what a search octet by octet finds, at every alignment', () => {
  const octets = oneof(
    uint8Array({ maxLength: 40 }),
    uint8Array({ min: 1, max: 15, maxLength: 40 }),
    uint8Array({ min: 0x7f, max: 0x81, maxLength: 40 }),
  );
  const ends = property(
    octets,
    integer({ min: 0, max: 7 }),
    integer({ min: 0, max: 40 }),
    constantFrom(0, 10, 13, 9, 14, 255),
    (noise, offset, at, octet) => {
      const memory = new Uint8Array(64);
      memory.set(noise, offset);
      const bytes = memory.subarray(offset, offset + noise.length);
      if (at < bytes.length) bytes[at] = octet;
      const words = wordsOf(bytes);
      for (let from = 0; from <= bytes.length; from += 1) {
        for (const to of [bytes.length, Math.max(from, bytes.length - 3)]) {
          assert.equal(endOfPlain(bytes, words, from, to), slowly(bytes, from, to));
        }
      }
    },
  );
  check(ends, { numRuns: 500 });
});

test('every octet alone, in every place of a word', () => {
  for (let octet = 0; octet < 256; octet += 1) {
    for (let at = 0; at < 12; at += 1) {
      const bytes = new Uint8Array(12).fill(0x58);
      bytes[at] = octet;
      assert.equal(endOfPlain(bytes, wordsOf(bytes), 0, 12), slowly(bytes, 0, 12));
    }
  }
});

test('a part that is cut out is the same, and the memory of the rest is given back', () => {
  const buffer = new ArrayBuffer(10_000);
  const bytes = new Uint8Array(buffer);
  for (const at of bytes.keys()) bytes[at] = at % 251;
  const part = cutOut(bytes, 100, 9_997);
  assert.equal(buffer.detached, true);
  assert.ok(part.length === 9_897 && part.every((octet, at) => octet === (at + 100) % 251));
  assert.equal(cutOut(part, 0, part.length), part);
  assert.equal(cutOut(part, 0, 4_095).buffer, part.buffer, 'few octets stay where they are');
  // Something else lies in this memory: both stay.
  const shared = part.subarray(1);
  assert.equal(cutOut(shared, 0, 9_000).buffer, part.buffer);
  assert.equal(part.length, 9_897);
});
