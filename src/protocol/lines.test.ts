/** Lines: every chunking, every fault, the limit to the octet. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { latin1, fromLatin1 } from '#base/bytes.ts';
import { LineReader } from './lines.ts';

/** All results of a stream cut into pieces of `size` octets. */
function read(text: string, limit: number, size: number): string[] {
  const reader = new LineReader();
  const results: string[] = [];
  let skipping = false;
  const drain = (): boolean => {
    for (;;) {
      if (skipping) {
        const { result } = reader.skipLine();
        if (result === 'more') return true;
        skipping = false;
        results.push(`skip:${result}`);
        if (result !== 'done') return false;
      }
      const result = reader.line(limit);
      if (result === 'more') return true;
      results.push(typeof result === 'string' ? result : `<${latin1(result)}>`);
      if (result === 'too-long') skipping = true;
      else if (typeof result === 'string') return false;
    }
  };
  for (let at = 0; at < text.length; at += size) {
    reader.push(fromLatin1(text.slice(at, at + size)));
    if (!drain()) break;
  }
  return results;
}

const rows: [string, string, string[]][] = [
  ['two lines', 'NOOP\r\nQUIT\r\n', ['<NOOP>', '<QUIT>']],
  ['empty line', '\r\n', ['<>']],
  ['unfinished', 'NOOP\r', []],
  ['bare LF', 'NOOP\nQUIT\r\n', ['bare-lf']],
  ['bare CR', 'NOOP\rQUIT\r\n', ['bare-cr']],
  ['two CR', 'NOOP\r\r\n', ['bare-cr']],
  ['NUL', 'NO\0OP\r\n', ['nul']],
  ['at the limit', '12345678\r\nx\r\n', ['<12345678>', '<x>']],
  ['over the limit', '123456789\r\nx\r\n', ['too-long', 'skip:done', '<x>']],
  ['far over', `${'x'.repeat(50)}\r\nx\r\n`, ['too-long', 'skip:done', '<x>']],
  ['bare LF in the excess', `${'x'.repeat(50)}\nx\r\n`, ['too-long', 'skip:bare-lf']],
  ['bare CR in the excess', `${'x'.repeat(50)}\rx\r\n`, ['too-long', 'skip:bare-cr']],
  ['NUL in the excess', `${'x'.repeat(50)}\0x\r\n`, ['too-long', 'skip:nul']],
];

describe('lines', () => {
  for (const [what, text, expected] of rows) {
    it(what, () => {
      for (let size = 1; size <= text.length; size++) {
        assert.deepEqual(read(text, 10, size), expected, `pieces of ${size}`);
      }
    });
  }

  it('keeps no more than a partial line', () => {
    const reader = new LineReader();
    for (let round = 0; round < 1000; round++) {
      reader.push(fromLatin1('x'.repeat(100)));
      if (reader.line(50) === 'too-long') reader.skipLine();
      assert.ok(reader.buffered <= 150);
    }
  });
});
