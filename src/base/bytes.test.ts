/** Searching octets by words: the same answer as octet by octet, wherever the memory begins. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, constantFrom, integer, oneof, property, uint8Array } from 'fast-check';
import { endOfPlain, wordsOf } from './bytes.ts';

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
