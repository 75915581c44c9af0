/** Tests of the Received parser: lines of every program we know of, and what is read of them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseIp } from '#base/ip.ts';
import { RECEIVED_CHARACTERS } from './items.ts';
import { parseReceived } from './parse.ts';
import { shortLine } from './testing.ts';

/** `lines.txt`: a line, and below it what is read of it; `#` begins a heading. */
const CASES = readFileSync(new URL('lines.txt', import.meta.url), 'latin1')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .reduce<[line: string, expected: string][]>((cases, line) => {
    if (line.startsWith('   => ')) cases.at(-1)?.splice(1, 1, line.slice(6));
    else cases.push([line, '']);
    return cases;
  }, []);

test('Received lines of more than thirty programs are read field by field', () => {
  assert.ok(CASES.length >= 130, `${CASES.length} lines`);
  for (const [line, expected] of CASES)
    assert.equal(shortLine(parseReceived(line)), expected, line);
});

test('folds, tabs and blanks change nothing', () => {
  for (const [line, expected] of CASES) {
    const spaced = line.replaceAll(' by ', '\t  by ').replaceAll(' id ', ' \t id ');
    assert.equal(shortLine(parseReceived(spaced)), expected, spaced);
  }
});

const PIECES = fc.constantFrom(
  'from',
  'by',
  'with',
  'id',
  'for',
  'via',
  ';',
  '(',
  ')',
  '[',
  ']',
  '"',
  '\\',
  '@',
  'helo=',
  '192.0.2.1',
  '[192.0.2.1]',
  '1.2.3.4.5',
  '15.20.1.2',
  'ec2-192-0-2-1.x',
  'version',
  'HELO',
  '::1',
  '[IPv6:2001:db8::1]',
  'Postfix',
  'unknown',
  'a.example',
  'Sun, 22 Nov 2026 10:00:00',
  '+0100',
  '\0',
  '\x1b[2J',
  '\xff',
  '<a@b.example>',
  '999.1.1.1',
  'Exim 4.96',
  'ESMTPS',
);

test('no address is made up: each stands in the line as it is', () => {
  fc.assert(
    fc.property(fc.array(PIECES, { maxLength: 25 }), fc.constantFrom(' ', ''), (words, gap) => {
      const line = words.join(gap);
      const { ip, byIp } = parseReceived(line);
      for (const read of [ip, byIp]) {
        if (read === undefined) continue;
        const texts = line.replaceAll('IPv6:', ' ').match(/[0-9a-fA-F:.]{2,}/g) ?? [];
        assert.ok(
          texts.some((text) => parseIp(text)?.text === read.text),
          `${read.text}: ${line}`,
        );
      }
    }),
    { numRuns: 3_000 },
  );
});

test('any octets are read in linear time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void parseReceived(text)),
  );
  for (const unit of [
    '(',
    ')',
    '[',
    '"',
    ';',
    '\\',
    'from ',
    'by (',
    'with x (a [1.2.3.4]) ',
    '; 1 ',
  ]) {
    const line = `from a by b ${unit.repeat(2_000_000 / unit.length)}`;
    const before = process.cpuUsage();
    const read = parseReceived(line);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 300_000, `${JSON.stringify(unit)}: ${user} us`);
    assert.ok(line.length > RECEIVED_CHARACTERS && read.oddities.includes('cut'));
  }
});
