/** Tests of trees: kept as text, moved, and the same from any chunking of any octets. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { editHead } from './edit.ts';
import { formatStructured } from './field-text.ts';
import type { Part } from './part.ts';
import { StructureScanner, readStructure } from './scanner.ts';
import { decodeParts, encodeParts, shiftPart, walkParts, withHead } from './tree.ts';

const lines = (...all: string[]) => all.join('\r\n');
const MIXED = 'Content-Type: multipart/mixed; boundary=b';

test('a tree survives JSON and moves with its head', () => {
  const text = lines(
    'Subject: \xe4',
    'From: A <a@b>',
    MIXED,
    '',
    '--b',
    'Content-Type: message/rfc822',
    'Content-Language: de',
    '',
    'To: g: x@y;',
    '',
    'x',
    '--b--',
  );
  const old = fromLatin1(text);
  const found = readStructure(old);
  assert.deepEqual(decodeParts(encodeParts(found.root)), found.root);
  const head = old.subarray(0, found.root.headBytes);
  const longer = editHead(head, { front: [formatStructured('Received', 'by x.example')] });
  const whole = readStructure([longer, old.subarray(head.length)]);
  assert.deepEqual(shiftPart(found.root, longer.length - head.length), whole.root);
  assert.deepEqual(withHead(found, longer).root, whole.root);
  assert.equal(withHead(found, longer).sizeBytes, whole.sizeBytes);
  for (const damage of ['', '{}', '[1]', '[0,0,0,0,0,"a/b","7bit",[1]]', 'null']) {
    assert.throws(() => decodeParts(damage), { code: 'damaged-parts' });
  }
});

const piece = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('\r\n', '--b\r\n', '--b--\r\n', '--c\r\n', '--c--', '\n'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      `${MIXED}\r\n`,
      'Content-Type: multipart/digest; boundary="c"\r\n',
      'Content-Type: message/rfc822\r\n',
      '\r\n\r\n',
      'Subject: x\r\n',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('\r', ' ', '-', '--', '\0', 'x', '\xff') },
);
const mail = fc.array(piece, { maxLength: 30 }).map((pieces) => fromLatin1(pieces.join('')));

test('any mail in any chunking: the same tree, no throw, parts inside their parents', () => {
  const cuts = fc.array(fc.nat(300), { maxLength: 8 });
  fc.assert(
    fc.property(fc.oneof(mail, fc.uint8Array({ maxLength: 200 })), cuts, (bytes, cutAt) => {
      const whole = readStructure(bytes, { depth: 5, parts: 12, headBytes: 60 });
      const scanner = new StructureScanner({ depth: 5, parts: 12, headBytes: 60 });
      const reused = new Uint8Array(400);
      const places = [0, ...cutAt.map((n) => Math.min(n, bytes.length)).sort((a, b) => a - b)];
      places.forEach((from, at) => {
        const chunk = bytes.subarray(from, places[at + 1] ?? bytes.length);
        reused.set(chunk);
        scanner.push(reused.subarray(0, chunk.length));
        reused.fill(0x2d);
      });
      assert.deepEqual(scanner.finish(), whole);
      const single = new StructureScanner({ depth: 5, parts: 12, headBytes: 60 });
      for (const octet of bytes) single.push(Uint8Array.of(octet));
      assert.deepEqual(single.finish(), whole);
      checkTree(whole.root, bytes);
      assert.deepEqual(decodeParts(encodeParts(whole.root)), whole.root);
    }),
    { numRuns: 300 },
  );
});

function checkTree(root: Part, bytes: Uint8Array): void {
  for (const part of walkParts(root)) {
    const end = part.bodyStart + part.bodyBytes;
    assert.ok(part.headStart + part.headBytes === part.bodyStart && end <= bytes.length);
    const octets = latin1(concat([bytes.subarray(part.bodyStart, end)]));
    assert.equal(part.bodyLines, octets.split('\n').length - 1);
    assert.equal(part.type === 'multipart', part.type === 'multipart' && part.children.length > 0);
    const isMessage = part.type === 'message' && /^(rfc822|global)$/.test(part.subtype);
    if (isMessage) assert.ok(part.children.length === 1 && part.envelope !== undefined);
    let last = part.bodyStart;
    for (const child of part.children) {
      assert.ok(child.headStart >= last);
      last = child.bodyStart + child.bodyBytes;
      assert.ok(last <= Math.max(end, child.bodyStart));
    }
  }
}
