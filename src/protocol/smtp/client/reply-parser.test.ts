/** Replies from servers, good and hostile, in any chunking. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { utf8 } from '#base/bytes.ts';
import { ReplyParser, REPLY_LIMITS, type Parsed } from './reply-parser.ts';

function parse(text: string | Uint8Array, cut = Number.POSITIVE_INFINITY): Parsed[] {
  const bytes = typeof text === 'string' ? utf8(text) : text;
  const parser = new ReplyParser(REPLY_LIMITS);
  const out: Parsed[] = [];
  for (let at = 0; at < bytes.length; at += cut)
    out.push(...parser.push(bytes.slice(at, at + cut)));
  return out;
}

function only(text: string): Parsed {
  const all = parse(text);
  assert.equal(all.length, 1, JSON.stringify(all));
  return all[0]!;
}

test('replies as servers really send them', () => {
  const table: readonly [string, object][] = [
    ['250 OK\r\n', { code: 250, enhanced: undefined, lines: ['OK'] }],
    ['250\r\n', { code: 250, enhanced: undefined, lines: [''] }],
    ['250-a\r\n250 b\r\n', { code: 250, enhanced: undefined, lines: ['a', 'b'] }],
    ['250-a\r\n250\r\n', { code: 250, enhanced: undefined, lines: ['a', ''] }],
    [
      '550-5.1.1 no such\r\n550 5.1.1 user\r\n',
      { code: 550, enhanced: '5.1.1', lines: ['no such', 'user'] },
    ],
    ['250 2.0.0\r\n', { code: 250, enhanced: '2.0.0', lines: [''] }],
    ['550 4.1.1 odd\r\n', { code: 550, enhanced: undefined, lines: ['4.1.1 odd'] }],
    ['250 2.0.0.1 x\r\n', { code: 250, enhanced: undefined, lines: ['2.0.0.1 x'] }],
    ['250 caf\u00e9\ttab\r\n', { code: 250, enhanced: undefined, lines: ['caf\u00e9\ttab'] }],
  ];
  for (const [text, reply] of table) assert.deepEqual(only(text), { kind: 'reply', reply }, text);
  const latin = parse(Uint8Array.from([50, 53, 48, 32, 0xe9, 13, 10]));
  assert.deepEqual(latin[0]?.kind === 'reply' && latin[0].reply.lines, ['\u00e9']);
});

test('what is hostile is broken, with the reason, and nothing after it is read', () => {
  const table: readonly [string, RegExp][] = [
    ['25\r\n', /no reply code/],
    ['2500 x\r\n', /no reply code/],
    ['abc\r\n', /no reply code/],
    ['\r\n', /no reply code/],
    ['199 x\r\n', /no reply code/],
    ['600 x\r\n', /no reply code/],
    ['250_x\r\n', /no reply code/],
    ['250 a\0b\r\n', /control/],
    ['250 \x1b[2J\r\n', /control/],
    ['250 a\rb\r\n', /control/],
    ['250 a\n', /bare LF/],
    ['553-\r\n553\ntype: mda\nmda-exec: id\r\n', /bare LF/],
    ['250-a\r\n550 b\r\n', /two codes/],
    [`250 ${'x'.repeat(3_000)}\r\n`, /2048 octets|without end/],
    [`250 ${'x'.repeat(3_000)}`, /2048 octets|without end/],
    ['250-x\r\n'.repeat(101), /100 lines/],
    [`250-${'x'.repeat(1_000)}\r\n`.repeat(90), /65536 octets/],
  ];
  for (const [text, why] of table) {
    for (const cut of [1, 7, Number.POSITIVE_INFINITY]) {
      const parsed = parse(`${text}250 after\r\n`, cut);
      assert.equal(parsed.length, 1, text.slice(0, 40));
      const [first] = parsed;
      assert.match(first?.kind === 'broken' ? first.why : 'a reply', why);
    }
  }
});

test('any chunking gives the same replies', () => {
  const line = fc.constantFrom(
    '250 ok\r\n',
    '250-x\r\n250 y\r\n',
    '421 4.3.2 bye\r\n',
    '25\r\n',
    'a\n',
  );
  const streams = fc.array(line, { maxLength: 6 }).map((lines) => lines.join(''));
  fc.assert(
    fc.property(streams, fc.integer({ min: 1, max: 9 }), (stream, cut) => {
      assert.deepEqual(parse(stream, cut), parse(stream));
    }),
  );
});
