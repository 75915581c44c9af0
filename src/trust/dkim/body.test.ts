/** Tests of body hashing: tables, any chunking, lengths, one pass for all. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromLatin1, latin1 } from '#base/bytes.ts';
import { RelaxedBody, SimpleBody } from './body-canon.ts';
import { BodyHashes, bodyKey, hashBody } from './body.ts';

const CASES: readonly (readonly [body: string, simple: string, relaxed: string])[] = [
  ['', '\r\n', ''],
  ['\r\n', '\r\n', ''],
  ['\r\n\r\n', '\r\n', ''],
  [' ', ' \r\n', ''],
  [' \t\r\n\r\n', ' \t\r\n', ''],
  ['a', 'a\r\n', 'a\r\n'],
  ['a\r\n', 'a\r\n', 'a\r\n'],
  ['a\r\n\r\n \r\n\t\r\n', 'a\r\n\r\n \r\n\t\r\n', 'a\r\n'],
  ['\r\n\r\na', '\r\n\r\na\r\n', '\r\n\r\na\r\n'],
  [' a  b\t\tc \r\n', ' a  b\t\tc \r\n', ' a b c\r\n'],
  ['a \r\n\r\n \r\nb', 'a \r\n\r\n \r\nb\r\n', 'a\r\n\r\n\r\nb\r\n'],
  ['a\r', 'a\r\r\n', 'a\r\r\n'],
  ['a\r\n\r', 'a\r\n\r\r\n', 'a\r\n\r\r\n'],
  ['a\n\n', 'a\n\n\r\n', 'a\n\n\r\n'],
  ['a \rb', 'a \rb\r\n', 'a \rb\r\n'],
  ['\r\r\n\r\n', '\r\r\n', '\r\r\n'],
  ['a \n', 'a \n\r\n', 'a \n\r\n'],
  ['\xe9\0\xff\r\n', '\xe9\0\xff\r\n', '\xe9\0\xff\r\n'],
];

test('canonical bodies, in one piece and octet by octet', () => {
  for (const [body, simple, relaxed] of CASES) {
    for (const size of [1, 2, 3, 1_000]) {
      assert.equal(
        canonical('simple', body, () => size),
        simple,
        JSON.stringify(body),
      );
      assert.equal(
        canonical('relaxed', body, () => size),
        relaxed,
        JSON.stringify(body),
      );
    }
  }
});

test('any chunking gives what RFC 6376 3.4 says, said another way', () => {
  const piece = fc.constantFrom(
    '\r\n',
    '\r\n',
    ' ',
    '\t',
    '\r',
    '\n',
    'a',
    'word',
    '\r\n\r\n',
    '.',
  );
  const body = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(body, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, sizes) => {
      let nth = 0;
      const size = () => sizes[nth++ % sizes.length] ?? 1;
      assert.equal(canonical('simple', text, size), plainSimple(text));
      assert.equal(canonical('relaxed', text, size), plainRelaxed(text));
    }),
    { numRuns: 500 },
  );
});

test('long runs of line ends, blanks and text keep their number', () => {
  const body = `${'\r\n'.repeat(20_000)}a${' \t'.repeat(50_000)}b${'x'.repeat(40_000)}\r\n`;
  const wanted = `${'\r\n'.repeat(20_000)}a b${'x'.repeat(40_000)}\r\n`;
  assert.equal(
    canonical('relaxed', body, () => 7_001),
    wanted,
  );
  assert.equal(
    canonical('simple', body, () => 7_001),
    body,
  );
});

test('lengths share a pass with the whole; one beyond the end has no hash', () => {
  const body = 'one  two \r\nthree\r\n\r\n';
  const form = 'one two\r\nthree\r\n';
  const lengths = [0, 1, 3, 8, form.length, form.length + 1, 2 ** 60, Infinity];
  const wants = [undefined, ...lengths].map((lengthBytes) => ({
    canon: 'relaxed' as const,
    lengthBytes,
  }));
  for (const size of [1, 5, 100]) {
    const hashes = new BodyHashes(wants);
    for (const chunk of chunks(body, () => size)) hashes.write(chunk);
    const { digests, totalBytes } = hashes.finish();
    for (const want of wants) {
      const length = want.lengthBytes ?? form.length;
      const digest = digests.get(bodyKey(want));
      if (length > form.length) assert.equal(digest, undefined);
      else assert.equal(hex(digest), sha256(form.slice(0, length)), String(length));
    }
    assert.deepEqual(totalBytes, { simple: 0, relaxed: form.length });
  }
});

test('a body that only lengths are asked of is still measured', () => {
  const { digests, totalBytes } = hashBody(fromLatin1('abcdef\r\n'), [
    { canon: 'simple', lengthBytes: 3 },
    { canon: 'simple', lengthBytes: 3 },
  ]);
  assert.deepEqual([...digests.keys()], ['simple:3']);
  assert.equal(hex(digests.get('simple:3')), sha256('abc'));
  assert.equal(totalBytes.simple, 8);
});

test('a body that nobody asks of costs nothing', () => {
  const { digests, totalBytes } = hashBody(fromLatin1('abc'), []);
  assert.equal(digests.size, 0);
  assert.deepEqual(totalBytes, { simple: 0, relaxed: 0 });
});

test('a large body passes once for each form, whatever asks, in bounded memory', () => {
  const chunk = fromLatin1(`${'The quick brown fox  jumps. '.repeat(40)}\r\n`.repeat(58));
  const wants = Array.from({ length: 1_000 }, (_, at) => ({
    canon: at % 2 === 0 ? ('simple' as const) : ('relaxed' as const),
    lengthBytes: at * 18_000,
  }));
  const hashes = new BodyHashes(wants);
  const before = process.memoryUsage().arrayBuffers;
  const start = process.cpuUsage();
  for (let bytes = 0; bytes < 20_000_000; bytes += chunk.length) hashes.write(chunk);
  const { digests } = hashes.finish();
  const { user, system } = process.cpuUsage(start);
  assert.ok(digests.size > 990);
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
  // Two passes take about 0.2 s; 1,000 would take more than 10 s.
  assert.ok(user + system < 3_000_000, `${(user + system) / 1_000} ms of CPU`);
});

function canonical(canon: 'simple' | 'relaxed', body: string, size: () => number): string {
  let out = '';
  const take = (bytes: Uint8Array) => {
    out += latin1(bytes);
  };
  const stream = canon === 'simple' ? new SimpleBody(take) : new RelaxedBody(take);
  for (const chunk of chunks(body, size)) stream.write(chunk);
  stream.finish();
  return out;
}

function chunks(body: string, size: () => number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    const length = size();
    found.push(fromLatin1(body.slice(at, at + length)));
    at += length;
  }
  return found;
}

function plainSimple(body: string): string {
  return `${body.replace(/(?:\r\n)*$/, '')}\r\n`;
}

function plainRelaxed(body: string): string {
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `${line}\r\n`).join('');
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

function hex(digest: Uint8Array | undefined): string {
  return Buffer.from(digest ?? []).toString('hex');
}
