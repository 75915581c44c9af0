/** What hostile servers and senders put into notices: nothing of it leaves its field or its part. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { utf8 } from '#base/bytes.ts';
import type { Reply } from '#protocol/smtp/reply.ts';
import { explain } from './explain.ts';
import type { NoticeFacts } from './facts.ts';
import { publicHost, publicText } from './hosts.ts';
import { type ReadNotice, facts, noticeOf, recipient, valueIn } from './testing.ts';
import { decodeUnitext, encodeUnitext } from './unitext.ts';

const HEAD_FIELDS = new Set([
  'date',
  'from',
  'to',
  'subject',
  'message-id',
  'auto-submitted',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
]);
const MESSAGE_FIELDS = new Set([
  'original-envelope-id',
  'reporting-mta',
  'x-postern-queue-id',
  'arrival-date',
]);
const RECIPIENT_FIELDS = new Set([
  'original-recipient',
  'final-recipient',
  'action',
  'status',
  'remote-mta',
  'diagnostic-code',
  'last-attempt-date',
  'will-retry-until',
]);

/** The shape that every notice has, whatever is in it. */
function assertSound(read: ReadNotice, given: NoticeFacts): void {
  for (const line of read.text.split('\r\n')) {
    assert.ok(line.length <= 998, 'no line over 998 octets');
    assert.doesNotMatch(line, /[\r\n\0]/, 'no bare CR, LF or NUL');
  }
  assertOnly(
    read.fields.map(({ key }) => key),
    HEAD_FIELDS,
  );
  assert.equal(read.root.children.length, given.original === undefined ? 2 : 3);
  assert.equal(read.root.children[0]?.type, 'text');
  assert.match(read.root.children[1]?.subtype ?? '', /^(?:global-)?delivery-status$/);
  assert.equal(read.blocks.length, 1 + given.recipients.length);
  for (const [index, block] of read.blocks.entries()) {
    const allowed = index === 0 ? MESSAGE_FIELDS : RECIPIENT_FIELDS;
    assertOnly(
      block.map(({ key }) => key),
      allowed,
    );
    if (index === 0) continue;
    assert.equal(valueIn(block, 'Action'), given.kind);
    assert.match(valueIn(block, 'Status') ?? '', /^[245]\.\d{1,3}\.\d{1,3}$/);
  }
  assert.doesNotMatch(read.letter, /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/, 'no controls for eyes');
  assert.doesNotMatch(read.letter, /[\u202a-\u202e\u2066-\u2069]/, 'no text turned round');
}

function assertOnly(names: readonly string[], allowed: ReadonlySet<string>): void {
  assert.deepEqual(
    names.filter((name) => !allowed.has(name)),
    [],
  );
  assert.equal(new Set(names).size, names.length, 'no field twice');
}

function answer(...lines: string[]): Reply {
  return { code: 553, enhanced: undefined, lines };
}

const ANSWERS: readonly { readonly what: string; readonly reply: Reply }[] = [
  // CVE-2020-8794: an answer whose second line became a line of the queue file.
  { what: 'a line end and a command', reply: answer('\ntype: mda\nmda-exec: id') },
  { what: 'CRLF and a field', reply: answer('no\r\nBcc: victim@far.test\r\n\r\nbody') },
  { what: 'the end of the part', reply: answer(`no\r\n--=_${'07'.repeat(18)}--\r\n`) },
  { what: 'the boundary as a line', reply: answer(`--=_${'07'.repeat(18)}`, 'x') },
  { what: 'escape sequences', reply: answer('\x1b[2J\x1b]0;owned\x07') },
  { what: 'NUL, CR, DEL, C1', reply: answer('a\0b\rc\x7fd\x9be') },
  { what: 'text that turns round', reply: answer('\u202etxt.exe\u202c \u2066x\u2069') },
  { what: '8-bit octets', reply: answer('Gr\xfc\xdfe \xff\xfe', '\u7528\u6237') },
  { what: 'line separators of Unicode', reply: answer('a\u2028Status: 2.0.0\u2029b\u0085c') },
  { what: 'endless lines', reply: answer('x'.repeat(100_000), 'y z '.repeat(50_000)) },
  { what: '10,000 lines', reply: answer(...Array.from({ length: 10_000 }, (_, n) => `l${n}`)) },
  { what: 'no lines', reply: answer() },
  { what: 'empty lines', reply: answer('', '', '') },
  { what: 'only blanks', reply: answer('   ', '\t\t') },
  { what: 'a lone surrogate', reply: answer('a\ud800b') },
  { what: 'encoded words', reply: answer('=?utf-8?q?=0D=0ABcc:_x?=') },
  { what: 'a success code inside', reply: { code: 250, enhanced: '2.0.0', lines: ['not ok'] } },
];

for (const { what, reply } of ANSWERS) {
  test(`an answer with ${what} stays in its field`, () => {
    const given = facts({ recipients: [recipient({ reply, status: '9.9.9' }), recipient()] });
    const read = noticeOf(given);
    assertSound(read, given);
    assert.equal(valueIn(read.blocks[1], 'Status'), '5.0.0');
    assert.doesNotMatch(read.text.toLowerCase(), /^(?:bcc|type|mda-exec):/m);
    assert.ok(read.text.length < 120_000, `${read.text.length} octets`);
  });
}

const VALUES = [
  'a\r\nBcc: victim@far.test',
  'rfc822;a\r\n\r\nStatus: 2.0.0',
  'rfc822;a\nb',
  'utf-8;\\x{0D}\\x{0A}Bcc: x',
  'utf-8;\\x{D800}\\x{FFFFFFFF}',
  'utf-8;\u202ea@b',
  'x'.repeat(5_000),
  `rfc822;${'x '.repeat(3_000)}`,
  '',
  ' ',
  ';',
  'no type at all',
  '__proto__;constructor',
  'a\0b\x1b[2J',
  '=?utf-8?q?=0D=0A?=',
] as const;

for (const value of VALUES) {
  test(`${JSON.stringify(value.slice(0, 40))} as ENVID, ORCPT, host, reason, subject`, () => {
    for (const reversePath of ['alice@demo.test', 'élise@demo.test']) {
      const given = facts({
        envelope: { envelopeId: value, reversePath },
        recipients: [
          recipient({ originalRecipient: value, host: value }),
          recipient({ originalRecipient: value, host: value, reason: value, reply: undefined }),
        ],
        original: {
          head: utf8(
            `Subject: ${value.replace(/[\r\n]+/g, '\r\n ')}\r\nMessage-ID: <${value}>\r\n\r\n`,
          ),
          cut: false,
          body: undefined,
        },
      });
      assertSound(noticeOf(given), given);
    }
  });
}

test('what could end a field is shown, not dropped', () => {
  const given = facts({
    envelope: { envelopeId: 'a\r\nb' },
    recipients: [recipient({ originalRecipient: 'rfc822;a\r\nBcc: x' })],
  });
  const read = noticeOf(given);
  assert.equal(valueIn(read.blocks[0], 'Original-Envelope-Id'), 'a\\r\\nb');
  assert.equal(valueIn(read.blocks[1], 'Original-Recipient'), 'rfc822;a\\r\\nBcc: x');
});

test('long answers to a hundred recipients do not make a huge notice', () => {
  const reply = answer(...Array.from({ length: 100 }, () => 'x '.repeat(400)));
  const given = facts({ recipients: Array.from({ length: 100 }, () => recipient({ reply })) });
  const read = noticeOf(given);
  assertSound(read, given);
  assert.ok(read.text.length < 700_000, `${read.text.length} octets`);
});

test('an ENVID goes back to the letter, in its own case', () => {
  for (const envelopeId of ['QQ314159', 'a+b=c', 'Two  Blanks', "~!@#$%^&*()_+{}|:<>?'"]) {
    const read = noticeOf(facts({ envelope: { envelopeId } }));
    assert.equal(valueIn(read.blocks[0], 'Original-Envelope-Id'), envelopeId);
  }
});

test('whatever texts there are, the notice is sound', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ maxLength: 80 }),
    fc.constantFrom('\r\n', '\r\n\r\n', '\n--', '; ', '<>', '\x1b[1m', '\u202e'),
  );
  const reply = fc.record({
    code: fc.integer({ min: 200, max: 599 }),
    enhanced: fc.option(fc.constantFrom('5.1.1', '4.2.2', '2.0.0'), { nil: undefined }),
    lines: fc.array(text, { maxLength: 5 }),
  });
  const one = fc.record({
    originalRecipient: fc.option(text, { nil: undefined }),
    status: fc.oneof(text, fc.constantFrom('5.1.1', '4.4.7')),
    reply: fc.option(reply, { nil: undefined }),
    host: fc.option(text, { nil: undefined }),
    reason: text,
    expired: fc.boolean(),
  });
  const world = fc.record({
    kind: fc.constantFrom('failed', 'delayed', 'relayed', 'delivered'),
    envelopeId: fc.option(text, { nil: undefined }),
    reversePath: fc.constantFrom('alice@demo.test', '"a b"@demo.test', 'élise@demo.test'),
    recipients: fc.array(one, { minLength: 1, maxLength: 3 }),
    head: fc.uint8Array({ maxLength: 300 }),
    body: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(world, ({ kind, envelopeId, reversePath, recipients, head, body }) => {
      const given = facts({
        kind,
        envelope: { envelopeId, reversePath },
        recipients: recipients.map((each) => recipient(each)),
        original: { head: Buffer.concat([utf8('Subject: s\r\n'), head]), cut: false, body },
      });
      assertSound(noticeOf(given), given);
    }),
    { numRuns: 300 },
  );
});

test('unitext: the way there and back loses nothing, and is printable ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const encoded = encodeUnitext(text);
      assert.match(encoded, /^[!-~]*$/);
      if (!/[\x00-\x1f\x7f-\x9f]/.test(text)) assert.equal(decodeUnitext(encoded), text);
    }),
  );
  assert.equal(encodeUnitext('a b\\c=d+e'), 'a\\x{20}b\\x{5C}c\\x{3D}d\\x{2B}e');
  assert.equal(decodeUnitext('\\x{0D}\\x{0A}\\x{D800}'), '\\x{0D}\\x{0A}\\x{D800}');
});

test('public hosts', () => {
  const table: readonly [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ['mx.far.test [192.0.2.1]:25', 'mx.far.test'],
    ['[192.0.2.1]:25', '[192.0.2.1]'],
    ['[IPv6:2001:db8::1]:25', '[IPv6:2001:db8::1]'],
    ['[2001:db8::1]:25', '[IPv6:2001:db8::1]'],
    ['[10.1.2.3]:25', undefined],
    ['[127.0.0.1]:2525', undefined],
    ['[::1]:25', undefined],
    ['[fe80::1]:25', undefined],
    ['[fd12:3456::1]:25', undefined],
    ['smarthost [192.0.2.1]:25', undefined],
    ['mail.corp.internal [192.0.2.1]:25', undefined],
    ['evil\r\nX: y', undefined],
    ['', undefined],
  ];
  for (const [host, expected] of table) assert.equal(publicHost(host), expected, String(host));
  assert.equal(
    publicText('dial 10.2.3.4:25 at 12:30:45, then ::1 and 2001:db8::7'),
    'dial (an internal host):25 at 12:30:45, then (an internal host) and 2001:db8::7',
  );
});

test('every status has words', () => {
  for (const status of ['5.1.1', '4.4.7', '5.7.26', '5.99.999', '', 'x', '5.__proto__.1']) {
    const { why, cure } = explain(status);
    assert.match(why, /^[A-Z].*\.$/);
    assert.match(cure, /^[A-Z].*\.$/);
  }
  assert.match(explain('5.1.1').why, /no mailbox/);
  assert.notEqual(explain('5.7.1').why, explain('5.1.1').why);
});
