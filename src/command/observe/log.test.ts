/** Log lines: one line an event, escaped, capped, without secrets; level and format obeyed. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assert as check, jsonValue, property } from 'fast-check';
import type { Json, JsonObject } from '#base/json.ts';
import { Secret } from '#base/secret.ts';
import type { LogLevel } from '#base/world.ts';
import { LINE_BYTES } from './lines.ts';
import { systemLog } from './log.ts';

function logged(
  format: 'json' | 'text',
  fields: JsonObject,
  name = 'event-name',
  level: LogLevel = 'info',
): readonly string[] {
  const lines: string[] = [];
  const sink = { write: (line: string) => void lines.push(line) };
  systemLog({ level: 'info', format, colour: false, sink, now: () => 0 }).event(
    level,
    name,
    fields,
  );
  return lines;
}

function withoutTail(line: string): unknown {
  return { ...(JSON.parse(line) as object), tail: undefined };
}

const ATTACKS: readonly (readonly [what: string, value: Json])[] = [
  ['line ends', 'a\r\nlevel=error forged\n'],
  ['terminal', '\x1b[2J\x1b]0;title\x07\x9b'],
  ['NUL', 'a\0b'],
  ['separators', 'a\u2028b\u2029c\x85d'],
  ['bidi', 'abc\u202egpj.exe'],
  ['a megabyte', 'x'.repeat(1_048_576)],
  ['a megabyte that grows', '\u202e'.repeat(1_048_576)],
  ['many values', Array.from({ length: 10_000 }, () => '"\\"'.repeat(100))],
  ['many fields', Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 'v']))],
  ['deep', deep(100)],
  ['lone surrogate', '\ud800'],
];

for (const format of ['json', 'text'] as const) {
  describe(`${format}: whatever is logged, it is one harmless line of at most 8 KiB`, () => {
    for (const [what, value] of ATTACKS) {
      test(what, () => {
        const lines = logged(format, { value, list: [value], object: { value } });
        assert.equal(lines.length, 1);
        const [line = ''] = lines;
        assert.match(line, /^[^\n]*\n$/);
        assert.doesNotMatch(line.trimEnd(), /[\x00-\x1f\x7f-\x9f\u2028-\u202e]/);
        assert.ok(Buffer.byteLength(line) <= LINE_BYTES, `${Buffer.byteLength(line)} octets`);
        if (format === 'json') JSON.parse(line);
      });
    }

    test('names of fields and of the event too', () => {
      const [line = ''] = logged(format, { 'a\n\x1b': 1, ['k'.repeat(9_999)]: 2 }, 'e\n\x1b[2J');
      assert.match(line, /^[^\n]*\n$/);
      assert.ok(Buffer.byteLength(line) <= LINE_BYTES);
    });

    test('secrets, wherever they stand', () => {
      const secret = new Secret('canary');
      const fields = { secret, list: [secret], object: { secret } } as unknown as JsonObject;
      const [line = ''] = logged(format, fields);
      assert.doesNotMatch(line, /canary/);
      assert.match(line, /\[secret\]/);
    });
  });
}

test('what needs no change is written as what does', () => {
  check(
    property(jsonValue(), (value) => {
      const fields = (typeof value === 'object' && !Array.isArray(value) ? value : { value }) ?? {};
      const [plain = ''] = logged('json', fields as JsonObject);
      // An object among the fields has all of them copied.
      const [copied = ''] = logged('json', { ...(fields as JsonObject), tail: { x: 1 } });
      if (!copied.includes('"truncated"'))
        assert.deepEqual(withoutTail(plain), withoutTail(copied));
    }),
  );
  const odd = { big: 1n, call: () => 1, nan: NaN, none: undefined, level: undefined };
  const [line = ''] = logged('json', odd as unknown as JsonObject);
  assert.deepEqual(JSON.parse(line).big, '1');
  assert.deepEqual(JSON.parse(line).nan, 'NaN');
  assert.equal('none' in JSON.parse(line), false);
  assert.doesNotMatch(logged('text', { none: undefined })[0] ?? '', /none/);
});

test('JSON has level, time, event and the fields, and a field cannot pass for one of them', () => {
  const [line = ''] = logged('json', { queueId: 'Q1', level: 'error', time: 1, event: 'x' });
  assert.deepEqual(JSON.parse(line), {
    level: 'info',
    time: '1970-01-01T00:00:00.000Z',
    queueId: 'Q1',
    _level: 'error',
    _time: 1,
    _event: 'x',
    event: 'event-name',
  });
});

test('text is short and quotes what has spaces', () => {
  assert.deepEqual(logged('text', { queueId: 'Q1', why: 'two words', n: 1, on: true }), [
    '00:00:00.000 info  event-name queueId=Q1 why="two words" n=1 on=true\n',
  ]);
});

test('events below the level are not written', () => {
  assert.deepEqual(logged('json', {}, 'e', 'debug'), []);
  assert.deepEqual(logged('text', {}, 'e', 'debug'), []);
  assert.equal(logged('text', {}, 'e', 'warn').length, 1);
});

test('any JSON is a line', () => {
  check(
    property(jsonValue(), (value) => {
      for (const format of ['json', 'text'] as const) {
        const [line = ''] = logged(format, { value: value as Json });
        assert.ok(Buffer.byteLength(line) <= LINE_BYTES);
        assert.match(line, /^[^\n]*\n$/);
      }
    }),
    { numRuns: 200 },
  );
});

function deep(levels: number): Json {
  let value: Json = 'bottom';
  for (let level = 0; level < levels; level += 1) value = { value };
  return value;
}
