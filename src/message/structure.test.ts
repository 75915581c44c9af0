/** Tests of the structure reader: offsets, types, nesting, limits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import type { Part } from './part.ts';
import type { StructureLimits } from './part-tree.ts';
import { type Structure, readStructure } from './scanner.ts';
import { walkParts } from './tree.ts';

const read = (text: string, limits?: StructureLimits) => readStructure(fromLatin1(text), limits);
const kinds = ({ defects }: Structure) => defects.map((defect) => defect.kind).sort();
const body = (text: string, part: Part) =>
  text.slice(part.bodyStart, part.bodyStart + part.bodyBytes);

/** `type/subtype(children)`. */
function shape(part: Part): string {
  const inner = part.children.map(shape).join(' ');
  const name = `${part.type}/${part.subtype}`;
  return inner === '' ? name : `${name}(${inner})`;
}

const lines = (...all: string[]) => all.join('\r\n');
const MIXED = 'Content-Type: multipart/mixed; boundary=b';

test('a plain message is one part', () => {
  const text = lines('Subject: x', '', 'one', 'two', 'three');
  const { root, defects, sizeBytes } = read(text);
  assert.deepEqual(defects, []);
  assert.equal(sizeBytes, text.length);
  assert.deepEqual([root.headStart, root.headBytes, root.bodyStart], [0, 14, 14]);
  assert.equal(body(text, root), 'one\r\ntwo\r\nthree');
  assert.equal(root.bodyLines, 2);
  assert.deepEqual(root.parameters, [['charset', 'us-ascii']]);
  assert.equal(root.envelope?.subject, 'x');
});

test('parts of a multipart have exact offsets; the CRLF before a delimiter is not theirs', () => {
  const text = lines(
    MIXED,
    '',
    'preamble',
    '--b',
    'Content-Type: text/html',
    '',
    '<p>',
    '',
    '--b  ',
    '',
    'x',
    '--b',
    '--b',
    'A: 1',
    '--b--',
    'epilogue',
    '--b',
    '',
  );
  const { root } = read(text);
  assert.equal(shape(root), 'multipart/mixed(text/html text/plain text/plain text/plain)');
  assert.deepEqual(
    root.children.map((part) => body(text, part)),
    ['<p>\r\n', 'x', '', ''],
  );
  assert.deepEqual(
    root.children.map((part) => part.bodyLines),
    [1, 0, 0, 0],
  );
  assert.deepEqual(
    root.children.map((part) => text.slice(part.headStart, part.headStart + part.headBytes)),
    ['Content-Type: text/html\r\n\r\n', '\r\n', '', 'A: 1\r\n'],
  );
  assert.equal(root.bodyStart + root.bodyBytes, text.length);
});

test('bare LF ends lines inside parts, and is noted', () => {
  const text = `${MIXED}\n\n--b\n\none\ntwo\n--b--\n`;
  const found = read(text);
  assert.deepEqual(
    found.root.children.map((part) => body(text, part)),
    ['one\ntwo'],
  );
  assert.equal(found.root.children[0]?.bodyLines, 1);
  assert.deepEqual(kinds(found), ['bare-lf']);
});

test('a message inside a message has its envelope and its own offsets', () => {
  const inner = lines('Subject: in', 'From: a@b', '', 'text', '');
  const text = lines(MIXED, '', '--b', 'Content-Type: message/rfc822', '', `${inner}--b--`, '');
  const { root } = read(text.replace(`${inner}--b--`, `${inner}\r\n--b--`));
  const [message] = root.children;
  assert.equal(shape(root), 'multipart/mixed(message/rfc822(text/plain))');
  assert.equal(message?.envelope?.subject, 'in');
  assert.equal(message?.bodyBytes, inner.length);
  assert.equal(message?.bodyLines, 4);
  assert.equal(message?.children[0]?.headStart, message?.bodyStart);
  assert.equal(message?.children[0]?.bodyBytes, 6);
  assert.equal(message?.children[0]?.envelope, undefined);
});

test('a digest holds messages unless a part says otherwise', () => {
  const text = lines(
    'Content-Type: multipart/digest; boundary=b',
    '',
    '--b',
    '',
    'Subject: one',
    '',
    'x',
    '--b',
    'Content-Type: text/plain',
    '',
    'y',
    '--b',
    '',
    '--b--',
    '',
  );
  const { root } = read(text);
  assert.equal(
    shape(root),
    'multipart/digest(message/rfc822(text/plain) text/plain message/rfc822(text/plain))',
  );
  assert.equal(root.children[0]?.envelope?.subject, 'one');
});

const LEAVES: readonly (readonly [string, string])[] = [
  ['Content-Type: message/global', 'message/global(text/plain)'],
  ['Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64', 'application/octet-stream'],
  ['Content-Type: message/partial; id=x; number=1', 'message/partial'],
  ['Content-Type: message/delivery-status', 'message/delivery-status'],
  ['Content-Type: nonsense', 'text/plain'],
  ['Content-Type: text/', 'text/plain'],
  ['Content-Type: /plain', 'text/plain'],
  ['Content-Type:', 'text/plain'],
  ['Content-Type: TEXT / Html (comment); x=y', 'text/html'],
  ['Content-Type: a b/c', 'text/plain'],
  ['X: y', 'text/plain'],
];

test('types and what becomes of unreadable ones', () => {
  for (const [head, expected] of LEAVES) {
    assert.equal(shape(read(`${head}\r\n\r\nx`).root), expected, head);
  }
});

test('all Content fields are read, the first of each', () => {
  const text = lines(
    'Content-Type: image/PNG; Name="a;b.png"',
    'Content-ID: <id@x>',
    'Content-Description: =?utf-8?q?d?=',
    'Content-Transfer-Encoding: BASE64 (c)',
    'Content-MD5: Q2hlY2s=',
    'Content-Disposition: Attachment; filename="x.png"',
    'Content-Language: de, en-GB',
    'Content-Location: http://x/\r\n y',
    'Content-ID: <2>',
    '',
    '',
  );
  const found = read(text);
  const { root } = found;
  assert.deepEqual(root.parameters, [['name', 'a;b.png']]);
  assert.deepEqual([root.type, root.subtype, root.encoding], ['image', 'png', 'base64']);
  assert.deepEqual(root.disposition, { value: 'attachment', parameters: [['filename', 'x.png']] });
  assert.deepEqual([root.id, root.description], ['<id@x>', '=?utf-8?q?d?=']);
  assert.deepEqual([root.md5, root.location], ['Q2hlY2s=', 'http://x/y']);
  assert.deepEqual(root.languages, ['de', 'en-GB']);
  assert.deepEqual(kinds(found), ['duplicate-content-field']);
});

function nested(depth: number): string {
  let text = '';
  for (let n = 0; n < depth; n++) {
    text += `Content-Type: multipart/mixed; boundary=b${n}\r\n\r\n--b${n}\r\n`;
  }
  return `${text}\r\nx\r\n`;
}

function depthOf(root: Part): number {
  let depth = 0;
  for (let part: Part | undefined = root; part !== undefined; part = part.children[0]) depth++;
  return depth;
}

test('1,000 nested parts: the depth limit leaves an opaque part', () => {
  const found = read(nested(1000));
  assert.equal(depthOf(found.root), 101);
  assert.ok(kinds(found).includes('too-deep'));
  const messages = read('Content-Type: message/rfc822\r\n\r\n'.repeat(1000));
  assert.equal(depthOf(messages.root), 101);
  assert.equal(depthOf(read(nested(3), { depth: 1 }).root), 2);
  for (const part of walkParts(found.root)) {
    assert.equal(part.type === 'multipart', part.children.length > 0);
  }
});

test('more parts than the limit are not described, and the rest of the tree stays right', () => {
  const text = `${MIXED}\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(30)}--b--\r\n`;
  const found = read(text, { parts: 11 });
  assert.equal(found.root.children.length, 10);
  assert.deepEqual(kinds(found), ['too-many-parts']);
  assert.deepEqual(new Set(found.root.children.map((part) => body(text, part))), new Set(['x']));
  assert.equal(read(text).root.children.length, 30);
});

test('a head over the limit is skipped, and offsets stay right', () => {
  const text = `Subject: x\r\n${'A: 1\r\n'.repeat(100)}\r\nbody`;
  for (const limit of [5, 12, 100, text.indexOf('body') - 1]) {
    const found = read(text, { headBytes: limit });
    assert.equal(body(text, found.root), 'body');
    assert.ok(kinds(found).includes('long-head'));
  }
  assert.ok(!kinds(read(text, { headBytes: text.indexOf('body') })).includes('long-head'));
});

test('parameters and addresses of the whole tree have a limit too', () => {
  const part = `--b\r\nContent-Type: text/plain; x=y; z=z\r\n\r\n`;
  const found = read(`${MIXED}\r\n\r\n${part.repeat(5)}`, { allParameters: 6 });
  const counts = found.root.children.map((child) => child.parameters.length);
  assert.deepEqual(counts, [2, 2, 1, 0, 0]);
  const message = '--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\nTo: a@b, c@d\r\n\r\n';
  const inner = read(`${MIXED}\r\n\r\n${message.repeat(3)}`, { addresses: 6 });
  assert.deepEqual(
    inner.root.children.map((child) => child.envelope?.to.length),
    [2, 1, 1],
  );
  assert.ok(inner.root.children.every((child) => child.envelope?.from.length === 1));
  assert.ok(kinds(inner).includes('too-many-addresses'));
});

test('parameters over the limit are left out', () => {
  const text = `Content-Type: text/plain${'; a=b'.repeat(3)}; c=d\r\n\r\n`;
  assert.deepEqual(read(text, { parameters: 3 }).root.parameters, [['a', 'b']]);
});
