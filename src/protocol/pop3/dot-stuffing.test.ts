/** Byte-stuffing: strict and lenient clients read the same message, whatever is in it. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { DotStuffing } from './dot-stuffing.ts';

const octets = fc
  .array(fc.constantFrom('.', '\r', '\n', '\r\n', '\r\n.', 'x', '\0', '\xff'), { maxLength: 30 })
  .map((parts) => parts.join(''));
const slices = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });

suite('dot stuffing', () => {
  test('what a client undoes is the message, with CRLF at each line’s end', () => {
    fc.assert(
      fc.property(octets, slices, (message, cuts) => {
        const sent = stuffed(message, cuts, Infinity, 0);
        assert.ok(sent.endsWith('.\r\n'));
        assert.equal(sent.slice(0, -3).replace(/(^|\r\n)\./g, '$1'), withCrlf(message));
      }),
    );
  });

  test('the end is found at the same place by lines of CRLF and by lines of LF', () => {
    fc.assert(
      fc.property(octets, slices, (message, cuts) => {
        const sent = stuffed(message, cuts, Infinity, 0);
        assert.equal(`\r\n${sent}`.indexOf('\r\n.\r\n'), sent.length - 3);
        const lenient = sent.split('\n').map((line) => line.replace(/\r$/, ''));
        assert.equal(lenient.indexOf('.'), lenient.length - 2);
      }),
    );
  });

  test('TOP sends the head and so many lines, never more', () => {
    fc.assert(
      fc.property(octets, slices, fc.nat(5), (body, cuts, lines) => {
        const head = 'a: b\r\n\r\n';
        const sent = stuffed(head + body, cuts, lines, head.length).slice(0, -3);
        const wanted = withCrlf(body)
          .split(/(?<=\n)/)
          .slice(0, lines)
          .join('');
        assert.equal(sent.replace(/(^|\r\n)\./g, '$1'), head + wanted);
      }),
    );
  });

  test('slices are not copied', () => {
    const slice = fromLatin1('one\r\ntwo\r\n');
    const pieces: Uint8Array[] = [];
    new DotStuffing(0, Infinity).push(slice, (piece) => pieces.push(piece));
    assert.equal(pieces.length, 1);
    assert.equal(pieces[0]?.buffer, slice.buffer);
  });
});

function stuffed(message: string, cuts: readonly number[], lines: number, head: number): string {
  const stuffing = new DotStuffing(head, lines);
  const pieces: Uint8Array[] = [];
  const bytes = fromLatin1(message);
  for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
    const length = cuts[turn % cuts.length] ?? 1;
    stuffing.push(bytes.subarray(from, from + length), (piece) => pieces.push(piece));
    from += length;
  }
  return latin1(concat([...pieces, stuffing.end()]));
}

/** Each line's end as CRLF, the last line ended. */
function withCrlf(text: string): string {
  const lines = text.replace(/\r?\n/g, '\r\n');
  return lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
}
