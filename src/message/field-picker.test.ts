/** Fields picked from headers, however hostile, are those that a plain reading finds. */

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test } from 'node:test';
import { fromLatin1, latin1 } from '#base/bytes.ts';
import { fieldPicker } from './field-picker.ts';

/** As one would write it down: line by line, as text. */
function picked(head: string, names: ReadonlySet<string>, wanted: boolean): string {
  let kept = '';
  let keep = false;
  for (const [line] of head.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    if (/^[\r\n]/.test(line)) break;
    if (!/^[ \t]/.test(line)) {
      const colon = line.indexOf(':');
      const name = colon < 0 ? undefined : line.slice(0, colon).trimEnd().toLowerCase();
      keep = name !== undefined && names.has(name) === wanted;
    }
    if (keep) kept += line;
  }
  return kept;
}

const NAMES = ['from', 'subject', 'x-a', 'x', 'd\xe9j\xe0', '@', '`', ''];
const piece = fc.oneof(
  fc.constantFrom(...NAMES, 'FROM', 'Subject', 'SUBJECT', 'D\xc9J\xc0', 'X-A', 'Received'),
  fc.constantFrom(':', ': ', ' :', '\t:', '\xa0:', '\v:', '\r:', '\0', ' ', '\t', 'a', '\xff'),
  fc.constantFrom('\r\n', '\r\n', '\n', '\r', '\r\r\n', '\r\n ', '\r\n\t', '\r\n\r\n', '\n\n'),
);

test('what is picked is what a plain reading finds', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.nat({ max: 7 }),
      fc.constantFrom(0, 40),
      (pieces, chosen, wanted, offset, others) => {
        const text = pieces.join('');
        const names = new Set([...chosen, ...Array.from({ length: others }, (_, at) => `n${at}`)]);
        const pick = fieldPicker(names, wanted);
        // Wherever in memory it lies, with other octets around it.
        const memory = fromLatin1(`${'\n'.repeat(offset)}${text}\nfrom: other\n`);
        const head = memory.subarray(offset, offset + text.length);
        const spans = pick(head);
        let kept = '';
        for (let at = 0; at < spans.length; at += 2) {
          kept += latin1(head.subarray(spans[at], spans[at + 1]));
        }
        assert.equal(kept, picked(text, names, wanted));
        assert.deepEqual(pick(head), spans, 'the same again');
      },
    ),
    { numRuns: 2_000 },
  );
});
