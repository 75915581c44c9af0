/** Tests of the head reader and the head editor. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { editHead, splitMessage } from './edit.ts';
import { formatStructured, formatText } from './field-text.ts';
import { allFields, countFields, firstField, headEnd, readHead } from './fields.ts';

const head = (text: string) => readHead(fromLatin1(text));
const kinds = (text: string) =>
  head(text)
    .defects.map((defect) => `${defect.kind}@${defect.at}x${defect.count}`)
    .sort();

test('fields come with name, raw and unfolded value, and offsets', () => {
  const text = 'From: a@b\r\nSubject: one\r\n two\r\n\tthree \r\nX:\r\n\r\nbody: no\r\n';
  const read = head(text);
  assert.deepEqual(
    read.fields.map(({ name, raw, value }) => [name, raw, value]),
    [
      ['From', ' a@b', 'a@b'],
      ['Subject', ' one\r\n two\r\n\tthree ', 'one two\tthree'],
      ['X', '', ''],
    ],
  );
  for (const field of read.fields) {
    assert.equal(text.slice(field.start, field.start + field.name.length), field.name);
    assert.equal(text[field.valueStart - 1], ':');
    assert.equal(text.slice(field.end - 2, field.end), '\r\n');
  }
  assert.equal(read.complete, true);
  assert.equal(text.slice(read.headBytes), 'body: no\r\n');
  assert.deepEqual(read.defects, []);
});

const DEFECTS: readonly (readonly [string, readonly string[]])[] = [
  ['a: 1\r\n\r\n', []],
  ['a: 1\r\n', ['no-empty-line@6x1']],
  ['', ['no-empty-line@0x1']],
  ['\r\n', []],
  ['a: 1\nb: 2\n\n', ['bare-lf@4x3']],
  ['a: 1\rb: 2\r\n\r\n', ['bare-cr@4x1']],
  ['a: 1\r\r\n\r\n', ['bare-cr@4x1']],
  ['a: \0\r\n\r\n', ['nul@3x1']],
  [`a: ${'x'.repeat(995)}\r\n\r\n`, []],
  [`a: ${'x'.repeat(996)}\r\n\r\n`, ['long-line@0x1']],
  ['no colon here\r\na: 1\r\n\r\n', ['missing-colon@0x1']],
  ['From alice Sun Nov 22 05:00:00 2026\r\n\r\n', ['bad-field-name@0x1']],
  ['a : 1\r\n\r\n', ['space-before-colon@0x1']],
  [': 1\r\n\r\n', ['bad-field-name@0x1']],
  [' x\r\n y\r\na: 1\r\n\r\n', ['orphan-continuation@0x1']],
  ['a: \xc3\xa4\r\n\r\n', ['eight-bit-head@0x1']],
  ['a: \xe4\r\n\r\n', ['not-utf8-head@0x1']],
  ['a\r\n: 1\r\n\r\n', ['missing-colon@0x1', 'bad-field-name@3x1']],
  ['a\r\n : 1\r\n\r\n', ['missing-colon@0x1']],
];

test('defects are values, each kind once, with its first place', () => {
  for (const [text, expected] of DEFECTS) {
    assert.deepEqual(kinds(text), [...expected].sort(), JSON.stringify(text.slice(0, 40)));
  }
});

test('a line of white space goes on the field, it does not end the head', () => {
  const read = head('a: 1\r\n \r\nb: 2\r\n\r\n');
  assert.deepEqual(
    read.fields.map((field) => field.value),
    ['1', '2'],
  );
});

test('octets after the empty line are not looked at', () => {
  assert.deepEqual(kinds('a: 1\r\n\r\n\0\r\xff\n'), []);
});

test('names from outside are only names', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then'];
  const read = head(`${names.map((name) => `${name}: x-${name}\r\n`).join('')}\r\n`);
  for (const name of names) {
    assert.equal(firstField(read, name)?.value, `x-${name}`);
    assert.equal(countFields(read, name.toUpperCase()), 1);
  }
  assert.equal(firstField(read, 'valueOf'), undefined);
  assert.equal(({} as { x?: string }).x, undefined);
});

test('look-ups know any case, all of a name, and a space before the colon', () => {
  const read = head('From: 1\r\nFROM : 2\r\nfrom: 3\r\n\r\n');
  assert.equal(firstField(read, 'from')?.value, '1');
  assert.equal(countFields(read, 'From'), 3);
  assert.deepEqual(
    allFields(read, 'fRom').map((field) => field.value),
    ['1', '2', '3'],
  );
});

test('more fields than the limit are a defect', () => {
  const read = readHead(fromLatin1('a: 1\r\nb: 2\r\nc: 3\r\n\r\n'), { fields: 2 });
  assert.equal(read.fields.length, 2);
  assert.deepEqual(read.defects, [{ kind: 'too-many-fields', at: 12, count: 1 }]);
});

test('the end of a head is its first empty line', () => {
  const table: [string, number | undefined][] = [
    ['a: 1\r\n\r\nx', 8],
    ['a: 1\n\nx', 6],
    ['a: 1\n\r\nx', 7],
    ['\r\nx', 2],
    ['\nx', 1],
    ['a: 1\r\n \r\n', undefined],
    ['a: 1\r\r\n', undefined],
    ['', undefined],
  ];
  for (const [text, end] of table) {
    assert.equal(headEnd(fromLatin1(text)), end, JSON.stringify(text));
    const read = head(text);
    assert.equal(read.complete ? read.headBytes : undefined, end, JSON.stringify(text));
  }
  const { head: top, body } = splitMessage(fromLatin1('a: 1\r\n\r\nbody'));
  assert.deepEqual([latin1(top), latin1(body)], ['a: 1\r\n\r\n', 'body']);
});

test('a head is edited without touching other octets', () => {
  const old = fromLatin1('A:  1\r\nJunk\r\nB: 2\r\n x\r\nb: 3\r\nC: \xff\r\n\r\n');
  const edited = editHead(old, {
    front: [formatStructured('Received', 'by x')],
    replace: [formatText('b', 'new'), formatText('Z', 'z')],
    remove: ['a'],
    add: [formatText('Y', 'y')],
  });
  assert.equal(
    latin1(edited),
    'Received: by x\r\nJunk\r\nb: new\r\nC: \xff\r\nZ: z\r\nY: y\r\n\r\n',
  );
});

test('edits of heads without an empty line, without a line end, without anything', () => {
  const add = [formatText('Y', 'y')];
  assert.equal(latin1(editHead(fromLatin1('A: 1'), { add })), 'A: 1\r\nY: y\r\n');
  assert.equal(latin1(editHead(fromLatin1(''), { add })), 'Y: y\r\n');
  // A last field without a line end that goes: no empty line may stand in its place.
  const remove = ['bcc'];
  assert.equal(latin1(editHead(fromLatin1('A: 1\r\nBcc: x'), { add, remove })), 'A: 1\r\nY: y\r\n');
  assert.equal(latin1(editHead(fromLatin1('Bcc: x'), { add, remove })), 'Y: y\r\n');
  const replace = [formatStructured('A', '2')];
  assert.equal(latin1(editHead(fromLatin1('A: 1'), { add, replace })), 'A: 2\r\nY: y\r\n');
  assert.equal(latin1(editHead(fromLatin1('\r\n'), { add })), 'Y: y\r\n\r\n');
  assert.equal(latin1(editHead(fromLatin1('\r\n'), { front: add })), 'Y: y\r\n\r\n');
  assert.equal(latin1(editHead(fromLatin1('A: 1\n\n'), { add })), 'A: 1\nY: y\r\n\n');
});

test('a head that begins with white space cannot go on a field put in front', () => {
  const evil = fromLatin1(' spf=pass\r\nFrom: a@b\r\n\r\n');
  const edited = editHead(evil, { front: [formatStructured('Authentication-Results', 'x; none')] });
  const read = readHead(edited);
  assert.equal(firstField(read, 'authentication-results')?.value, 'x; none');
  assert.ok(latin1(edited).endsWith(latin1(evil)));
});

const anyHead = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r\n', '\r', '\n', ': ', ' ', '\t', 'From', '\0', ':', 'x', 'Content-Type'),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => fromLatin1(pieces.join('')));

test('any octets: never a throw, fields cover what they say, defects explain the rest', () => {
  fc.assert(
    fc.property(fc.oneof(anyHead, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      const read = readHead(bytes);
      const text = latin1(bytes);
      let last = 0;
      for (const field of read.fields) {
        assert.ok(field.start >= last && field.end > field.start && field.end <= read.headBytes);
        assert.equal(text.slice(field.valueStart, field.valueStart + field.raw.length), field.raw);
        assert.ok(!field.value.includes('\n'));
        last = field.end;
      }
      assert.equal(read.complete, headEnd(bytes) !== undefined);
    }),
  );
});

test('any head: what is put in front is found in front, and the rest is as it was', () => {
  fc.assert(
    fc.property(anyHead, (bytes) => {
      const before = readHead(bytes);
      const front = [formatText('First', 'value')];
      const after = readHead(editHead(bytes, { front }));
      assert.equal(after.fields[0]?.name, 'First');
      assert.equal(after.fields[0]?.value, 'value');
      const rest = after.fields.slice(1).filter((field) => field.key !== 'x-orphaned-line');
      assert.deepEqual(
        rest.map((field) => [field.name, field.raw]),
        before.fields.map((field) => [field.name, field.raw]),
      );
      const same = editHead(bytes, { remove: ['no-such-field'] });
      assert.deepEqual(concat([same]), concat([bytes]));
    }),
  );
});
