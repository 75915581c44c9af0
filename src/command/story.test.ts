/** Stories: in order, escaped, bounded. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueId, SessionId } from '#base/brand.ts';
import type { Json } from '#base/json.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import { storyJson, storyText } from './story.ts';

function entry(atMs: number, kind: LedgerEntry['kind'], facts: LedgerEntry['facts']): LedgerEntry {
  const session = 's1' as SessionId;
  return { atMs, kind, session, queueId: 'Q1' as QueueId, keys: [], facts };
}

const PLAIN = { colour: false };

test('oldest first, one head line an entry, facts below it', () => {
  const text = storyText(
    [
      entry(2_000, 'attempt', { host: 'mx.example [192.0.2.1]:25', tls: true, tries: 2 }),
      entry(1_000, 'accepted', {
        reversePath: '<a@b.c>',
        nothing: undefined,
        empty: [],
        none: {},
        zero: null,
        dialogue: ['MAIL FROM:<a@b.c> -> 250 2.1.0 Sender OK', 'RCPT TO:<d@e.f> -> 250 2.1.5 OK'],
        outcome: [{ recipient: '<d@e.f>', why: { rule: 'a long reason, '.repeat(8) } }, 'x y'],
        answers: { a: '192.0.2.1', mx: 'mx.example' },
      }),
    ],
    PLAIN,
  );
  assert.equal(
    text,
    [
      '1970-01-01 00:00:01.000  accepted  message Q1  session s1',
      '    reverse path: <a@b.c>',
      '    dialogue:',
      '      - MAIL FROM:<a@b.c> -> 250 2.1.0 Sender OK',
      '      - RCPT TO:<d@e.f> -> 250 2.1.5 OK',
      '    outcome:',
      '      - recipient: <d@e.f>',
      '        why:',
      `          rule: ${'a long reason, '.repeat(8)}`,
      '      - x y',
      '    answers: a 192.0.2.1, mx mx.example',
      '1970-01-01 00:00:02.000  attempt to deliver  message Q1  session s1',
      '    host: mx.example [192.0.2.1]:25',
      '    tls: yes',
      '    tries: 2',
      '',
    ].join('\n'),
  );
});

test('what a remote said cannot steer the terminal', () => {
  const text = storyText([entry(0, 'attempt', { 'a\x1b[2J': '550 \x1b]0;x\x07\r\nlie' })], PLAIN);
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f]/);
  assert.match(text, /550 \\x1b\]0;x\\x07\\r\\nlie/);
});

test('deep and endless facts end', () => {
  let deep: Json = 'x'.repeat(200);
  for (let level = 0; level < 5_000; level += 1) deep = [deep];
  const many = Array.from({ length: 10_000 }, (_, index) => `line ${index} ${'x'.repeat(50)}`);
  const text = storyText([entry(0, 'session', { deep, many })], PLAIN);
  assert.ok(text.split('\n').length < 500);
  assert.match(text, /\(more: see --json\)/);
});

test('JSON: one object a line', () => {
  const [line = ''] = storyJson([entry(0, 'refused', { why: 'a\nb' })]).split('\n');
  assert.deepEqual(JSON.parse(line), {
    at: '1970-01-01T00:00:00.000Z',
    kind: 'refused',
    session: 's1',
    queueId: 'Q1',
    keys: [],
    facts: { why: 'a\nb' },
  });
});
