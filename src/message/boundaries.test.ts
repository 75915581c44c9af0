/** Tests of boundaries: missing, empty, doubled, prefixes of each other, almost delimiters. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import type { Part } from './part.ts';
import { readStructure } from './scanner.ts';

const T = 'Content-Type: multipart/mixed; boundary=';
const B70 = 'b'.repeat(70);
const B2048 = 'b'.repeat(2048);
const ONE = 'mixed(plain)';
const NESTED = 'mixed(mixed(plain) plain)';

/** Name, message (`|` is CRLF), shape, defects. */
const CASES: readonly (readonly [string, string, string, string])[] = [
  ['good', `${T}b||--b||x|--b--|`, ONE, ''],
  ['no final one', `${T}b||--b||x`, ONE, 'missing-final-boundary'],
  ['no delimiter', `${T}b||text`, 'plain', 'missing-final-boundary no-delimiter'],
  ['last one alone', `${T}b||text|--b--|`, 'plain', 'no-delimiter'],
  ['cut off by the end', `${T}b||--b||x|--b--`, ONE, ''],
  ['only delimiters', `${T}b||--b|--b|--b--|`, 'mixed(plain plain)', ''],
  ['empty', `${T}""||--||x|----|`, 'plain', 'no-boundary no-delimiter'],
  ['blanks', `${T}"  "||--  ||x|`, 'plain', 'no-boundary no-delimiter'],
  ['none', 'Content-Type: multipart/mixed||x', 'plain', 'no-boundary no-delimiter'],
  ['two dashes', `${T}"--"||----||x|------|`, ONE, ''],
  ['blank inside and after', `${T}"a b "||--a b||x|--a b--|`, ONE, ''],
  ['white space after', `${T}b||--b \t ||x|--b-- |`, ONE, ''],
  ['outer is prefix', `${T}ab||--ab|${T}abc||--abc||x|--abc--|--ab||y|--ab--|`, NESTED, ''],
  ['inner is prefix', `${T}abc||--abc|${T}ab||--ab||x|--ab--|--abc||y|--abc--|`, NESTED, ''],
  ['x and x--', `${T}x||--x|${T}x--||--x--||y|--x----|--x--|`, 'mixed(mixed(plain))', ''],
  ['x-- and x', `${T}x--||--x--|${T}x||--x||y|--x--|--x----|`, 'mixed(mixed(plain))', ''],
  ['the same twice', `${T}b||--b|${T}b||--b||x|--b--|--b||y|--b--|`, NESTED, ''],
  [
    'the outer ends the inner',
    `${T}b||--b|${T}i||--i||x|--b--|`,
    'mixed(mixed(plain))',
    'missing-final-boundary',
  ],
  [
    'RFC 2231',
    "Content-Type: multipart/mixed; boundary*0*=us-ascii''%62; boundary*1=c||--bc||x|--bc--|",
    ONE,
    '',
  ],
  ['8 bit', `${T}"\xe4"||--\xe4||x|--\xe4--|`, ONE, 'not-utf8-head'],
  ['given twice', `${T}b; boundary=c||--b||x|--c||y|--b--|`, ONE, 'duplicate-parameter'],
  ['70 octets', `${T}${B70}||--${B70}||x|--${B70}--|`, ONE, ''],
  ['71 octets', `${T}${B70}b||--${B70}b||x|--${B70}b--|`, ONE, ''],
  ['2048 octets', `${T}${B2048}||--${B2048}||x|--${B2048}--|`, ONE, 'long-line'],
  [
    '2049 octets',
    `${T}${B2048}b||--${B2048}b||x|`,
    'plain',
    'long-boundary long-line no-delimiter',
  ],
  ['almost', `${T}b||--b||--bb| --b|--b x|-b|--|-|--B|--b--x|x--b|---b|--b--|`, ONE, ''],
  ['in the head', `${T}b|X: 1|--b|X: 2||--b||x|--b--|`, ONE, 'missing-colon'],
  ['after the last one', `${T}b||--b||x|--b--|--b||y|--b--|`, ONE, ''],
];

function shape(part: Part): string {
  const inner = part.children.map(shape).join(' ');
  return inner === '' ? part.subtype : `${part.subtype}(${inner})`;
}

test('boundaries as they come', () => {
  for (const [name, text, expected, defects] of CASES) {
    const found = readStructure(fromLatin1(text.replaceAll('|', '\r\n')));
    assert.equal(shape(found.root), expected, name);
    const kinds = found.defects.map((defect) => defect.kind).sort();
    assert.equal(kinds.filter((kind) => kind !== 'no-empty-line').join(' '), defects, name);
  }
});
