/** Tests of what DATA says of lines: it is true, and the structure read with its help is the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type PlainLines, concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { StructureScanner, readStructure } from '#message/scanner.ts';
import { DataContent, joined } from './content.ts';

const MIXED = 'Content-Type: multipart/mixed; boundary=b';

interface Passed {
  readonly bytes: Uint8Array;
  readonly lines: PlainLines | undefined;
}

/** The message as DATA hands it on when it comes cut at these places. */
function pass(message: string, cuts: readonly number[]): Passed[] {
  const input = fromLatin1(`${message.replace(/^\./gm, '..')}.\r\n`);
  const content = new DataContent(5_000);
  const places = [...cuts.filter((cut) => cut < input.length), input.length];
  const passed: Passed[] = [];
  let from = 0;
  for (const to of places.sort((a, b) => a - b)) {
    const { pieces, lines, fault } = content.take(input.subarray(from, to));
    assert.equal(fault, undefined);
    if (pieces.length > 0) passed.push({ bytes: joined(pieces), lines });
    from = to;
  }
  assert.equal(latin1(concat(passed.map(({ bytes }) => bytes))), message);
  return passed;
}

function isTrue(passed: readonly Passed[]): boolean {
  let before = '\n';
  for (const { bytes, lines } of passed) {
    const text = latin1(bytes);
    if (lines !== undefined) {
      const { from, to, count } = lines;
      if ((text[from - 1] ?? before) !== '\n' || count === 0) return false;
      const run = text.slice(from, to).split('\r\n');
      if (run.pop() !== '' || run.length !== count) return false;
      if (run.some((line) => /^-|[\r\n]/.test(line) || line.length > 998)) return false;
    }
    before = text.at(-1) ?? before;
  }
  return true;
}

function structureOf(passed: readonly Passed[]) {
  const scanner = new StructureScanner();
  for (const { bytes, lines } of passed) scanner.push(bytes, lines);
  return scanner.finish();
}

const line = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('text', 'a longer line of text', '', '.', '..x', '-x') },
  { weight: 3, arbitrary: fc.constantFrom('--b', '--b--', '--c', '--', MIXED, 'Subject: x') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('x'.repeat(998), 'y'.repeat(999), `-${'z'.repeat(997)}`),
  },
  { weight: 1, arbitrary: fc.constant('Content-Type: message/rfc822\r\n') },
);
const mail = fc
  .tuple(fc.constantFrom(`${MIXED}\r\n\r\n`, 'Subject: x\r\n\r\n', ''), fc.array(line))
  .map(([head, all]) => head + all.map((one) => `${one}\r\n`).join(''));

test('what is said of lines is true, and the structure is the same with it, however it is cut', () => {
  let told = 0;
  fc.assert(
    fc.property(mail, fc.array(fc.nat(2_000), { maxLength: 6 }), (message, cuts) => {
      const passed = pass(message, cuts);
      assert.ok(isTrue(passed));
      told += passed.filter(({ lines }) => lines !== undefined).length;
      assert.deepEqual(structureOf(passed), readStructure(fromLatin1(message)));
    }),
    { numRuns: 400 },
  );
  assert.ok(told > 100, `${told} runs of lines`);
});

test('nearly all of an attachment is told of', () => {
  const body = `${'QUJD'.repeat(19)}\r\n`.repeat(1_000);
  const message = `${MIXED}\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n\r\n${body}--b--\r\n`;
  const passed = pass(message, [20_000, 40_000, 60_000]);
  assert.deepEqual(structureOf(passed), readStructure(fromLatin1(message)));
  const counts = passed.map(({ lines }) => lines?.count ?? 0);
  assert.ok(
    counts.slice(1).every((count) => count > 200),
    String(counts),
  );
});

test('a wrong word about lines would be seen: the controls of the test above', () => {
  const message = `${MIXED}\r\n\r\n--b\r\n\r\na\r\nb\r\n--b--\r\n`;
  const passed = pass(message, [message.indexOf('b\r\n--b--')]).map(({ bytes }) => ({
    bytes,
    lines: { from: 0, to: bytes.length, count: 1 },
  }));
  assert.equal(isTrue(passed), false);
  assert.notDeepEqual(structureOf(passed), readStructure(fromLatin1(message)));
});
