/** Tests of dates, identifiers, envelopes, facts and part texts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromLatin1, utf8 } from '#base/bytes.ts';
import { formatDate, parseDate, parseMailDate } from './date.ts';
import { envelopeOf } from './envelope.ts';
import { messageFacts } from './facts.ts';
import { readHead } from './fields.ts';
import { parseMessageId, parseMessageIds, threadIds } from './ids.ts';
import { readStructure } from './scanner.ts';
import { partText } from './text.ts';

const FIVE = Date.UTC(2026, 10, 22, 5);
const DATES: readonly (readonly [string, number | undefined])[] = [
  ['Sun, 22 Nov 2026 05:00:00 +0000', FIVE],
  ['22 Nov 2026 05:00 +0000', FIVE],
  ['Sun,22 Nov 2026 06:30:00 +0130', FIVE],
  ['Sun, 22 Nov 2026 00:00:00 -0500 (EST)', FIVE],
  ['Sun, 22 Nov 2026 00:00:00 EST', FIVE],
  ['Sat, 21 Nov 2026 22:00:00 pdt', FIVE],
  ['Sun, 22 Nov 2026 05:00:00 GMT', FIVE],
  ['Sun, 22 Nov 2026 05:00:00 UT', FIVE],
  ['Sun, 22 Nov 2026 05:00:00 Z', FIVE],
  ['Sun, 22 Nov 2026 05:00:00 A', FIVE],
  ['Sun, 22 Nov 2026 05:00:00', FIVE],
  ['Sun (day), 22 (\\) (x)) Nov 26 05 : 00 : 00 (t) +0000 (z)', FIVE],
  ['Sun, 22\r\n Nov\t2026 05:00:00 +0000', FIVE],
  ['Mon, 22 Nov 2026 05:00:00 -0000', FIVE],
  ['22-Nov-2026 05:00:00 +0000', FIVE],
  ['1 Jan 49 00:00:00 +0000', Date.UTC(2049, 0, 1)],
  ['1 Jan 50 00:00:00 +0000', Date.UTC(1950, 0, 1)],
  ['1 Jan 126 00:00:00 +0000', Date.UTC(2026, 0, 1)],
  ['29 Feb 2024 00:00:00 +0000', Date.UTC(2024, 1, 29)],
  ['31 Dec 2016 23:59:60 +0000', Date.UTC(2017, 0, 1)],
  ['1 Jan 9999 00:00:00 +0000', Date.UTC(9999, 0, 1)],
  ['29 Feb 2026 00:00:00 +0000', undefined],
  ['31 Feb 2026 00:00:00 +0000', undefined],
  ['0 Jan 2026 00:00:00 +0000', undefined],
  ['1 Jan 0000 00:00:00 +0000', undefined],
  ['1 Jan 99999 00:00:00 +0000', undefined],
  ['1 Jan 999999 00:00:00 +0000', undefined],
  ['1 Foo 2026 00:00:00 +0000', undefined],
  ['1 Jan 2026 24:00:00 +0000', undefined],
  ['1 Jan 2026 00:60:00 +0000', undefined],
  ['1 Jan 2026 00:00:00 +0060', undefined],
  ['1 Jan 2026 00:00:00 +12', undefined],
  ['now', undefined],
  ['', undefined],
  ['('.repeat(500), undefined],
  [`${' '.repeat(2000)}1 Jan 2026 00:00:00 +0000`, undefined],
];

test('dates: obsolete, commented, absurd', () => {
  for (const [text, ms] of DATES) assert.equal(parseDate(text), ms, text.slice(0, 60));
  assert.deepEqual(parseMailDate('22 Nov 2026 00:00 -0500')?.zoneMinutes, -300);
});

test('the usual form is read without the grammar, and never otherwise than by it', () => {
  const wild = fc.constantFrom('0', '9', '1', ' ', ':', '+', '-', ',', 'a', 'J', '\u0131');
  const pieces = fc.tuple(
    fc.constantFrom('', 'Sun, ', 'Mon, ', 'sun, ', 'unM, ', 'Sun,', 'Xyz, ', 'a1b, '),
    fc.constantFrom('1', '9', '22', '29', '31', '32', '00', '1x'),
    fc.constantFrom(' Nov ', ' Feb ', ' nov ', ' ovD ', ' Now ', '-Nov-'),
    fc.constantFrom('2026', '2024', '1899', '9999', '0026', '20x6'),
    fc.constantFrom(' 05:00:00 ', ' 23:59:60 ', ' 24:00:00 ', ' 05:61:00 ', ' 5:00:000 '),
    fc.constantFrom('+0000', '-0500', '+0530', '-1261', '+9959', '+00x0', 'GMT  '),
    fc.option(fc.tuple(fc.nat(30), wild)),
  );
  fc.assert(
    fc.property(pieces, ([...all]) => {
      const change = all.pop() as [number, string] | null;
      const text = all.join('');
      const changed =
        change === null ? text : text.slice(0, change[0]) + change[1] + text.slice(change[0] + 1);
      // A comment is what the usual form does not have.
      assert.deepEqual(parseMailDate(changed), parseMailDate(`${changed} ()`), changed);
    }),
    { numRuns: 5_000 },
  );
});

test('a date is written one way, and read back', () => {
  assert.equal(formatDate(FIVE), 'Sun, 22 Nov 2026 05:00:00 +0000');
  const seconds = fc.integer({ min: -2_208_988_800, max: 253_402_300_799 });
  fc.assert(
    fc.property(seconds, (second) => {
      assert.equal(parseDate(formatDate(second * 1000)), second * 1000);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => void parseDate(text)));
});

test('identifiers, with the damage that mail does to them', () => {
  assert.deepEqual(parseMessageIds('<a@b> <c@d>\t<e\r\n f@g> "old" phrase'), [
    'a@b',
    'c@d',
    'ef@g',
  ]);
  assert.deepEqual(parseMessageIds('<<a@b>>'), ['a@b']);
  assert.deepEqual(parseMessageIds('<x <a@b> <> <'), ['a@b']);
  assert.deepEqual(parseMessageIds(`<${'x'.repeat(1_000_000)}@b> <a@b>`), ['a@b']);
  assert.equal(parseMessageId('<a@b> (comment)'), 'a@b');
  assert.equal(parseMessageId('a@b'), 'a@b');
  assert.equal(parseMessageId('not one'), undefined);
  assert.equal(parseMessageId('<../../etc/passwd>'), '../../etc/passwd');
  assert.deepEqual(threadIds(['a', 'b', 'a'], ['b', 'c']), ['a', 'b', 'c']);
  const many = Array.from({ length: 80 }, (_, n) => `i${n}`);
  const kept = threadIds(many, ['last']);
  assert.deepEqual([kept.length, kept[0], kept[1], kept.at(-1)], [50, 'i0', 'i32', 'last']);
});

test('an envelope: missing Sender and Reply-To are From, second fields hide nobody', () => {
  const head = readHead(
    utf8(
      'From: A <a@b>\r\nReply-To: \r\nTo: c@d\r\nTo: e@f\r\nSubject: =?utf-8?q?x?=\r\n y\r\n' +
        'Date: Sun, 22\r\n Nov 2026\r\nMessage-ID: <m@x>\r\nSubject: second\r\n\r\n',
    ),
  );
  const envelope = envelopeOf(head);
  assert.deepEqual(envelope.from, [{ name: 'A', local: 'a', domain: 'b' }]);
  assert.deepEqual([envelope.sender, envelope.replyTo], [envelope.from, envelope.from]);
  assert.deepEqual(
    envelope.to.map((address) => address.local),
    ['c', 'e'],
  );
  assert.equal(envelope.subject, '=?utf-8?q?x?= y');
  assert.equal(envelope.date, 'Sun, 22 Nov 2026');
  assert.equal(envelope.messageId, '<m@x>');
  assert.equal(envelope.inReplyTo, undefined);
});

test('an envelope holds no control characters', () => {
  const head = readHead(fromLatin1('Subject: a\0b\rc\xe4\r\nFrom: "a\rb" <x\0@y>\r\n\r\n'));
  assert.doesNotMatch(JSON.stringify(envelopeOf(head)), /\\u00|\\r|\\n/);
  assert.equal(envelopeOf(head).subject, 'a?b c\xe4');
});

test('facts: decoded, folded, all of doubled fields, threads oldest first', () => {
  const message = utf8(
    'From: =?utf-8?q?J=C3=B6rg?=  <j@x>\r\nTo: a@b\r\nTo: c@d\r\nCc: "E" <e@f>\r\n' +
      'Subject:  =?utf-8?b?w6Q=?=\r\n =?utf-8?b?w7Y=?=   x\r\nDate: 22 Nov 2026 05:00 +0000\r\n' +
      'Message-ID: <m@x>\r\nReferences: <1@x> <2@x>\r\nIn-Reply-To: <2@x>\r\n\r\nbody',
  );
  const { root, head } = readStructure(message);
  const facts = messageFacts(head, root);
  assert.deepEqual(facts, {
    ...facts,
    sentMs: FIVE,
    messageId: 'm@x',
    references: ['1@x', '2@x'],
    subject: 'äö x',
    from: 'Jörg <j@x>',
    to: 'a@b, c@d',
    cc: '"E" <e@f>',
    bcc: '',
  });
  assert.deepEqual(messageFacts(message.subarray(0, root.headBytes), root), facts);
});

test('facts of nothing', () => {
  const { root, head } = readStructure(new Uint8Array(0));
  const facts = messageFacts(head, root);
  assert.deepEqual([facts.sentMs, facts.messageId, facts.subject], [undefined, undefined, '']);
});

const TEXTS: readonly (readonly [string, string, string])[] = [
  ['Content-Type: text/plain; charset=iso-8859-1', '\xe4', 'ä'],
  ['Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64', 'w6Q=', 'ä'],
  ['Content-Type: text/html\r\nContent-Transfer-Encoding: Quoted-Printable', '=C3=\r\n=A4', 'ä'],
  ['X: y', '\xc3\xa4', 'ä'],
];

test('the text of a part', () => {
  for (const [head, body, text] of TEXTS) {
    const { root } = readStructure(fromLatin1(`${head}\r\n\r\n${body}`));
    assert.equal(partText(root, fromLatin1(body)), text);
  }
  const { root } = readStructure(utf8('X: y\r\n\r\nabcdef'));
  assert.equal(partText(root, utf8('abcdef'), { bytes: 3 }), 'abc');
});
