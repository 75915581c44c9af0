/** Hostile shapes at n and 4n: nothing is thrown, and the time is linear. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '#base/bytes.ts';
import { readSenders } from './addresses.ts';
import { messageFacts } from './facts.ts';
import { readHead } from './fields.ts';
import { StructureScanner, readStructure } from './scanner.ts';
import { partText } from './text.ts';
import { walkParts } from './tree.ts';

const times = (n: number, make: (at: number) => string) =>
  Array.from({ length: n }, (_, at) => make(at)).join('');
const TYPE = 'Content-Type: multipart/mixed; boundary=';
const deep = times(99, (at) => `${TYPE}b${at}\r\n\r\n--b${at}\r\n`);

type Shape = (n: number) => string;
const field = (name: string, unit: string, after = ''): Shape => {
  return (n) => `${name}: ${unit.repeat(n)}${after}\r\n\r\n`;
};
const body = (head: string, unit: string): Shape => {
  return (n) => `${head}\r\n\r\n${unit.repeat(n)}`;
};

/** Name, shape, n. */
const SHAPES: readonly (readonly [string, Shape, number])[] = [
  ['nested multiparts', (n) => times(n, (at) => `${TYPE}b${at}\r\n\r\n--b${at}\r\n`), 1200],
  ['nested messages', (n) => 'Content-Type: message/rfc822\r\n\r\n'.repeat(n), 4000],
  ['many parts', body(`${TYPE}b`, '--b\r\n\r\nx\r\n'), 1500],
  ['parts over the limit', body(`${TYPE}b`, '--b\r\n\r\n'), 11_000],
  ['many addresses', field('To', 'a@b, '), 4000],
  ['many To fields', (n) => `${'To: a@b\r\n'.repeat(n)}\r\n`, 1500],
  ['many From fields', (n) => `${'From: a@b\r\n'.repeat(n)}\r\n`, 1500],
  ['quote marks', field('To', '"'), 20_000],
  ['odd quote marks', (n) => field('To', '"')(2 * n + 1), 10_000],
  ['quotes and backslashes', field('To', '"\\'), 12_000],
  ['nested groups', field('To', 'g:'), 10_000],
  ['groups', field('To', 'g:a@b;'), 1500],
  ['nested comments', (n) => `To: ${'('.repeat(n)}${')'.repeat(n)} a@b\r\n\r\n`, 20_000],
  ['open comments', field('To', '(', 'a@b'), 20_000],
  ['comments', field('To', '()', 'a@b'), 20_000],
  ['angles', field('To', '<'), 20_000],
  ['pairs of angles', field('From', '<a@b>'), 2000],
  ['at signs', field('To', '@'), 20_000],
  ['a@a@a', field('From', 'a@'), 6000],
  ['dots', field('From', 'a.', 'x@b'), 30_000],
  ['words', field('From', 'a ', '@b'), 10_000],
  ['open literals', field('To', 'a@['), 5000],
  ['semicolons and colons', field('To', ':;'), 5000],
  ['RFC 2231 sections', (n) => `${TYPE}x${times(n, (at) => `; a*${at}*=b`)}\r\n\r\n`, 8000],
  ['parameters', (n) => `${TYPE}x${times(n, (at) => `; a${at}=b`)}\r\n\r\n`, 8000],
  ['empty parameters', field('Content-Type', ';'), 50_000],
  ['quotes in parameters', field('Content-Type', 'a/b;c="'), 10_000],
  ['escaped quotes in parameters', (n) => `${TYPE}"${'\\"'.repeat(n)}\r\n\r\n`, 10_000],
  ['comments in parameters', field('Content-Type', ' ('), 30_000],
  ['stars in a name', field('Content-Type', '*', '=x'), 50_000],
  ['encoded words', field('Subject', '=?utf-8?q?a?= '), 3000],
  ['encoded words, two charsets', field('Subject', '=?utf-8?q?a?= =?utf-16?b?YQ==?= '), 400],
  ['word openings', field('Subject', '=?'), 30_000],
  ['words without an end', field('Subject', '=?utf-8?q?a'), 10_000],
  ['words with a late end', field('Subject', '=?utf-8?q?', '?='), 10_000],
  ['long charset', field('Subject', '=?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'), 4000],
  ['__proto__ fields', (n) => `${'__proto__: x\r\n'.repeat(n)}\r\n`, 5000],
  ['100,000 fields', (n) => `${'a:\r\n'.repeat(n)}\r\n`, 50_000],
  ['lines without a colon', (n) => `${'a\r\n'.repeat(n)}\r\n`, 100_000],
  ['folds', (n) => `Subject: ${'x\r\n '.repeat(n)}\r\n\r\n`, 20_000],
  ['bare CR', field('Subject', '\r'), 30_000],
  ['bare LF', (n) => `Subject:${' x\n'.repeat(n)}\n`, 60_000],
  ['blanks', field('To', ' ', 'x'), 50_000],
  ['references', field('References', '<a@b> '), 5000],
  ['open brackets', field('References', '<'), 50_000],
  ['a Message-ID', field('Message-ID', 'x', '@y'), 100_000],
  ['parentheses in Date', field('Date', '('), 50_000],
  ['dash lines, 99 boundaries', (n) => `${deep}\r\n${'--\r\n'.repeat(n)}`, 8000],
  ['almost delimiters', (n) => `${deep}\r\n${'--b1x\r\n'.repeat(n)}`, 10_000],
  ['one endless line', body(`${TYPE}b`, '-'), 200_000],
  ['soft breaks', body('Content-Transfer-Encoding: quoted-printable', '=\r\n'), 30_000],
  ['blanks at line ends', body('Content-Transfer-Encoding: quoted-printable', '= '), 50_000],
  ['broken base64', body('Content-Transfer-Encoding: base64', '=?A'), 50_000],
];

/** Everything that delivery and search do with a message. */
function readAll(message: Uint8Array): number {
  const { root, head } = readStructure(message);
  const facts = messageFacts(head, root);
  let size = facts.parts.length + readSenders(head).addresses.length;
  for (const part of walkParts(root)) {
    if (part.children.length > 0) continue;
    const octets = message.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
    size += partText(part, octets).length;
  }
  return size;
}

/** The least of several runs: what else the machine does only adds. */
function leastTime(message: Uint8Array, runs: number): number {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const before = performance.now();
    readAll(message);
    least = Math.min(least, performance.now() - before);
  }
  return least;
}

/** Two doublings of n, at most 2.5 times the time each. */
const LIMIT = 2.5 ** 2;
/** A busy machine disturbs the ratio; but nothing quadratic of these sizes is as cheap as this. */
const CHEAP_MS_PER_OCTET = 0.0005;

for (const [name, shape, n] of SHAPES) {
  test(`linear: ${name}`, () => {
    const small = fromLatin1(shape(Math.floor(n / 2)));
    const large = fromLatin1(shape(n * 2));
    let least = leastTime(small, 2);
    let most = leastTime(large, 2);
    for (let attempt = 0; attempt < 5 && most / least >= LIMIT; attempt++) {
      least = Math.min(least, leastTime(small, 3));
      most = Math.min(most, leastTime(large, 2));
    }
    const fine = most / least < LIMIT || most < CHEAP_MS_PER_OCTET * large.length;
    assert.ok(fine, `time(4n)/time(n) is ${(most / least).toFixed(1)}, ${most.toFixed(1)} ms`);
  });
}

test('octet by octet is linear too', () => {
  const message = fromLatin1(`${deep}\r\n${'--b1x\r\n'.repeat(3000)}`);
  const scanner = new StructureScanner();
  for (let at = 0; at < message.length; at++) scanner.push(message.subarray(at, at + 1));
  assert.deepEqual(scanner.finish(), readStructure(message));
});

test('a From of a million quote marks is no address, and says so', () => {
  const head = readHead(fromLatin1(`From: ${'"'.repeat(1_000_001)}a@b.example\r\n\r\n`));
  const senders = readSenders(head);
  assert.equal(senders.malformed, true);
});
