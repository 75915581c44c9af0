/** Tests of our own mail: fields that cannot be broken out of, parts that any server takes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import * as compose from './compose.ts';
import * as fieldText from './field-text.ts';
import { readHead } from './fields.ts';
import { parseParametrised } from './parameters.ts';
import { readStructure } from './scanner.ts';
import { partText } from './text.ts';
import { decodeTransfer } from './transfer.ts';
import { decodeWords } from './words.ts';

const RANDOM = Uint8Array.from({ length: 16 }, (_, n) => n * 7);
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .array(
      fc.constantFrom('\r\nBcc: x', '\r', '\n', '\0', '=?', ' ', 'ä', 'x'.repeat(1200), '\u2028'),
      {
        maxLength: 6,
      },
    )
    .map((pieces) => pieces.join('')),
);

/** Exactly one sound field of this name comes out. */
function checkField(field: string, name: string): void {
  const octets = utf8(`${field}\r\n`);
  const read = readHead(octets);
  assert.equal(read.fields.length, 1);
  assert.equal(read.fields[0]?.name, name);
  const defects = read.defects.filter((defect) => defect.kind !== 'eight-bit-head');
  assert.deepEqual(defects, []);
  assert.equal(read.headBytes, octets.length);
}

test('whatever is put into a field, one field with sound lines comes out', () => {
  fc.assert(
    fc.property(hostile, fc.boolean(), (value, keep) => {
      checkField(fieldText.formatText('Subject', value, { utf8: keep }), 'Subject');
      checkField(fieldText.formatStructured('Received', value, { utf8: keep }), 'Received');
      const mailbox = { name: value, address: value };
      checkField(fieldText.formatMailboxes('To', [mailbox, mailbox], { utf8: keep }), 'To');
      const type = compose.withParameters('text/plain', [['name', value]]);
      checkField(fieldText.formatStructured('Content-Type', type), 'Content-Type');
    }),
  );
});

test('text in a field is read back as it was, but for blanks and controls', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  fc.assert(
    fc.property(text, (value) => {
      const expected = value.replace(/[\x00-\x20\x7f\u0085\u2028\u2029]+/g, ' ').trim();
      for (const keep of [false, true]) {
        const field = fieldText.formatText('Subject', value, { utf8: keep });
        const [read] = readHead(utf8(`${field}\r\n`)).fields;
        if (!keep || !value.includes('=?')) assert.equal(decodeWords(read?.value ?? ''), expected);
      }
    }),
  );
});

test('fields fold at 78 columns', () => {
  const field = fieldText.formatText('Subject', 'word '.repeat(60));
  for (const line of field.trimEnd().split('\r\n')) assert.ok(line.length <= 78);
  assert.equal(
    fieldText.formatMailboxes('To', [
      { name: 'Alice', address: 'a@b' },
      { name: 'Ex, "am" ple', address: 'c@d' },
      { name: 'Jörg', address: 'e@f' },
      { address: 'g@h' },
    ]),
    'To: Alice <a@b>, "Ex, \\"am\\" ple" <c@d>, =?utf-8?q?J=C3=B6rg?= <e@f>, g@h\r\n',
  );
  assert.throws(() => fieldText.formatText('a: b', 'x'), /invariant/);
});

test('a finished field of someone else is taken only if it is exactly one', () => {
  const table: [string, boolean][] = [
    ['DKIM-Signature: v=1;\r\n\tb=abc', true],
    ['DKIM-Signature: v=1\r\n', true],
    ['A: b\r\nB: c', false],
    ['A: b\r\n\r\n', false],
    ['A: b\r\n \r\n c', false],
    ['A: b\nB: c', false],
    ['A: b\rB: c', false],
    ['A: \0', false],
    ['A b: c', false],
    [`A: ${'x'.repeat(996)}`, false],
    ['', false],
  ];
  for (const [text, sound] of table) {
    assert.equal(
      fieldText.acceptField(text) !== undefined,
      sound,
      JSON.stringify(text.slice(0, 40)),
    );
  }
});

test('parameters are read back as they were', () => {
  const value = fc.string({ unit: 'grapheme', maxLength: 120 });
  fc.assert(
    fc.property(value, (text) => {
      const field = fieldText.formatStructured(
        'X',
        compose.withParameters('a/b', [['name', text]]),
      );
      const [read] = readHead(utf8(`${field}\r\n`)).fields;
      const found = parseParametrised(read?.value ?? '').parameters;
      const tidy = text.replace(/[\x00\x7f]/g, '\ufffd').replace(/[\x01-\x1f]/g, ' ');
      assert.deepEqual(found, [['name', tidy]]);
    }),
  );
});

test('a report reads back: three parts, every one as it was', () => {
  const original = utf8('Subject: t\r\nFrom: a@b\r\n\r\ntext\r\n');
  const status = compose.fieldBlocks([
    [fieldText.formatStructured('Reporting-MTA', 'dns; x.example')],
    [
      fieldText.formatStructured('Final-Recipient', 'rfc822; a@b'),
      fieldText.formatStructured('Status', '5.1.1'),
    ],
  ]);
  const report = compose.reportPart(
    {
      type: 'delivery-status',
      human: compose.textPart('Grüße.\n\0\rÜber 998: ' + 'x'.repeat(2000)),
      machine: compose.leafPart(status, { type: 'message/delivery-status' }),
      about: compose.messagePart(original),
    },
    RANDOM,
  );
  const { head, body, eightBit } = compose.composeMessage(
    [
      fieldText.formatText('Subject', 'Nicht zugestellt: ü'),
      fieldText.formatStructured('From', '<>'),
    ],
    report,
  );
  assert.equal(eightBit, false);
  assert.ok(compose.isSevenBit(head) && compose.isSevenBit(body));
  const message = concat([head, body]);
  const { root, defects } = readStructure(message);
  assert.deepEqual(defects, []);
  assert.deepEqual(root.parameters[0], ['report-type', 'delivery-status']);
  const [human, machine, about] = root.children;
  assert.ok(human && machine && about && root.children.length === 3);
  const octets = (part: typeof about) =>
    message.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
  assert.equal(partText(human, octets(human)), `Grüße.\r\n\ufffd\r\nÜber 998: ${'x'.repeat(2000)}`);
  assert.equal(latin1(octets(machine)), latin1(status));
  assert.match(
    latin1(status),
    /^Reporting-MTA: .*\r\n\r\nFinal-Recipient: .*\r\nStatus: 5\.1\.1\r\n$/,
  );
  assert.equal(latin1(octets(about)), latin1(original));
  assert.equal(about.envelope?.subject, 't');
});

const MESSAGES: readonly (readonly [string, string, boolean])[] = [
  ['A: b\r\n\r\nx\r\n', 'message/rfc822', false],
  ['A: b\r\n\r\n\xe4\r\n', 'message/rfc822', true],
  ['A: \xe4\r\n\r\nx\r\n', 'message/rfc822', true],
  ['A: \xc3\xa4\r\n\r\nx\r\n', 'message/global', true],
  ['A: b\r\n\r\nx\ny\r\n', 'application/octet-stream', false],
  ['A: b\r\n\r\nx\ry\r\n', 'application/octet-stream', false],
  ['A: b\r\n\r\n\0\r\n', 'application/octet-stream', false],
  [`A: b\r\n\r\n${'x'.repeat(999)}\r\n`, 'application/octet-stream', false],
  [`A: b\r\n\r\n${'x'.repeat(998)}\r\n`, 'message/rfc822', false],
];

test('messages as parts: never encoded, or not as messages', () => {
  for (const [text, type, eightBit] of MESSAGES) {
    const part = compose.messagePart(fromLatin1(text));
    assert.match(
      part.fields.join(''),
      new RegExp(`^Content-Type: ${type}\r\n`),
      JSON.stringify(text),
    );
    assert.equal(part.eightBit, eightBit, JSON.stringify(text));
    const whole = compose.multipart('mixed', [part], RANDOM);
    assert.equal(whole.eightBit, eightBit);
    assert.ok(compose.hasSoundLines(whole.body));
  }
});

test('any octets as a leaf come back, in lines that any server takes', () => {
  const types = fc.constantFrom('text/plain', 'application/octet-stream', 'text/rfc822-headers');
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }),
      types,
      (all, type) => {
        const parts = all.map((octets) => compose.leafPart(octets, { type }));
        const whole = compose.multipart('mixed', [...parts, compose.textPart('end')], RANDOM);
        const { head, body } = compose.composeMessage([], whole);
        assert.ok(compose.isSevenBit(body));
        const message = concat([head, body]);
        const { root, defects } = readStructure(message);
        assert.deepEqual(defects, []);
        all.forEach((octets, at) => {
          const part = root.children[at];
          assert.ok(part);
          const found = message.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
          assert.equal(latin1(decodeTransfer(part.encoding, found).bytes), latin1(octets));
        });
      },
    ),
  );
});

test('a bare LF is never sound, not even as the first octet', () => {
  for (const text of ['\n', '\nx', '\n\n', 'x\n', '\r', '\n\r', '\r\n\n']) {
    assert.equal(compose.hasSoundLines(fromLatin1(text)), false, JSON.stringify(text));
  }
  for (const text of ['', '\r\n', 'x', 'x\r\n\r\n']) {
    assert.equal(compose.hasSoundLines(fromLatin1(text)), true, JSON.stringify(text));
  }
});

test('a boundary needs octets that cannot be guessed', () => {
  const part = compose.textPart('x');
  assert.throws(() => compose.multipart('mixed', [part], new Uint8Array(4)), /invariant/);
  assert.throws(() => compose.multipart('mixed', [], RANDOM), /invariant/);
});
