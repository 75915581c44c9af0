/** Message octets on the wire: each smuggling sequence, in any chunking, comes out harmless. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { WireText } from './wire-text.ts';
import { cpuTimer } from '#test/world/cpu.ts';

function wire(text: string, stuff = true, cut = Number.POSITIVE_INFINITY): string {
  const bytes = fromLatin1(text);
  const form = new WireText(stuff);
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += cut) out.push(form.push(bytes.slice(at, at + cut)));
  out.push(form.finish());
  return latin1(concat(out));
}

/** reliability.md S1. */
const SEQUENCES = [
  '\n.\n',
  '\n.\r',
  '\r.\n',
  '\r.\r',
  '\n.\r\n',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n.\r\r\n',
  '\r\r\n.\r\n',
  '\r\n.\0\r\n',
  '\r\n\0.\r\n',
  '\n\n.\r\n',
  '\r\n..\r\n',
  '\r\n.\r\n',
];

test('lines, dots and ends', () => {
  const table: readonly [string, string][] = [
    ['', ''],
    ['a\r\nb\r\n', 'a\r\nb\r\n'],
    ['a\r\nb', 'a\r\nb\r\n'],
    ['.', '..\r\n'],
    ['.\r\n', '..\r\n'],
    ['a\r\n.b\r\n..\r\n', 'a\r\n..b\r\n...\r\n'],
    ['a.\r\n', 'a.\r\n'],
    ['a\nb\rc\r', 'a\r\nb\r\nc\r\n'],
    ['\r\r\n', '\r\n\r\n'],
    ['\n\r', '\r\n\r\n'],
    ['a\r.b', 'a\r\n..b\r\n'],
  ];
  for (const [text, expected] of table) {
    for (const cut of [1, 2, 3, Number.POSITIVE_INFINITY]) {
      assert.equal(wire(text, true, cut), expected, JSON.stringify(text));
    }
  }
});

test('each smuggling sequence: only CRLF, one end, and the text comes back', () => {
  for (const sequence of SEQUENCES) {
    const text = `Subject: x\r\n\r\nbefore${sequence}MAIL FROM:<a@b>\r\nafter\r\n`;
    for (let cut = 1; cut <= text.length; cut += 1) {
      const out = wire(text, true, cut);
      assert.ok(!/\r(?!\n)|(?<!\r)\n/.test(out), JSON.stringify(sequence));
      assert.ok(!/(?:^|\r\n)\.\r\n/.test(out), JSON.stringify(sequence));
      const back = out.replace(/^\./gm, '');
      assert.equal(back, text.replace(/\r\n|\r|\n/g, '\r\n'), JSON.stringify(sequence));
      assert.equal(wire(text, false, cut), back);
    }
  }
});

test('any text, any chunking: the same octets, only CRLF, never a lone dot', () => {
  const texts = fc
    .array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\0', '\xff'), { maxLength: 30 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 5 }), fc.boolean(), (text, cut, stuff) => {
      const out = wire(text, stuff, cut);
      assert.equal(out, wire(text, stuff));
      assert.ok(!/\r(?!\n)|(?<!\r)\n/.test(out));
      assert.ok(out === '' || out.endsWith('\r\n'));
      if (stuff) assert.ok(!/(?:^|\r\n)\.\r\n/.test(out));
    }),
  );
});

test('clean text goes through uncopied', () => {
  const piece = fromLatin1('line\r\nline.\r\n');
  assert.equal(new WireText(true).push(piece), piece);
});

test('hostile megabytes take linear time', () => {
  for (const text of ['\n', '\r', '.\r\n', 'a', '\r\n', '\n.']) {
    const big = text.repeat(Math.floor(2_000_000 / text.length));
    const spent = cpuTimer();
    wire(big, true, 65_536);
    assert.ok(spent() < 500, JSON.stringify(text));
  }
});
