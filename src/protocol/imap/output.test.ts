/** Output: whatever is written, in whatever pieces, comes out in order and once. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test } from 'node:test';
import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { Output } from './output.ts';

const text = fc
  .array(fc.nat({ max: 255 }), { maxLength: 600 })
  .map((codes) => String.fromCharCode(...codes));
const step = fc.oneof(
  text.map((value) => ({ kind: 'text' as const, value })),
  text.map((value) => ({ kind: 'bytes' as const, value })),
  fc
    .tuple(text, fc.nat(), fc.nat())
    .map(([value, a, b]) => ({ kind: 'copy' as const, value, a, b })),
  fc.maxSafeNat().map((value) => ({ kind: 'number' as const, value })),
  fc.nat({ max: 100_000 }).map((value) => ({ kind: 'number' as const, value })),
  fc.constant({ kind: 'take' as const }),
);

test('what is written comes out as it was, and its size is known', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const out = new Output();
      let taken = '';
      let expected = '';
      for (const one of steps) {
        switch (one.kind) {
          case 'take':
            taken += latin1(concat(out.take()));
            assert.equal(out.size, 0);
            break;
          case 'copy': {
            const [from, to] = [one.a, one.b]
              .map((at) => at % (one.value.length + 1))
              .sort((a, b) => a - b);
            out.copy(fromLatin1(one.value), from!, to!);
            expected += one.value.slice(from, to);
            break;
          }
          case 'number':
            out.number(one.value);
            expected += String(one.value);
            break;
          case 'text':
            out.text(one.value);
            expected += one.value;
            break;
          case 'bytes':
            out.bytes(fromLatin1(one.value));
            expected += one.value;
        }
        assert.equal(taken.length + out.size, expected.length);
      }
      assert.equal(taken + latin1(concat(out.take())), expected);
    }),
  );
});

test('what was taken is not written over, and nothing is added once it is shut', () => {
  const out = new Output();
  out.text('first ');
  out.number(1);
  const [first] = out.take();
  out.text('second');
  out.shut();
  out.text(' third');
  out.number(4);
  out.bytes(fromLatin1('fifth'));
  out.copy(fromLatin1('sixth'), 0, 5);
  assert.equal(out.size, 6);
  assert.equal(latin1(concat(out.take())), 'second');
  assert.equal(latin1(first!), 'first 1');
});
