/** Tests of the wire forms: NIL rules, quoting, never a raw 8-bit octet, nothing injected. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { latin1 } from '#base/bytes.ts';
import type { EnvelopeFields, FieldAddress, Part } from '#message/part.ts';
import { formatBody, formatBodyStructure } from './body-structure.ts';
import { encodeRawText, encodeWords } from './encoded-word.ts';
import { formatEnvelope } from './envelope.ts';
import { formatAString, formatNString, formatString } from './string.ts';

const terry: FieldAddress = { name: 'Terry Gray', local: 'gray', domain: 'cac.washington.edu' };

function envelope(fields: Partial<EnvelopeFields> = {}): EnvelopeFields {
  return {
    date: undefined,
    subject: undefined,
    from: [],
    sender: [],
    replyTo: [],
    to: [],
    cc: [],
    bcc: [],
    inReplyTo: undefined,
    messageId: undefined,
    ...fields,
  };
}

function part(fields: Partial<Part> = {}): Part {
  return {
    headStart: 0,
    headBytes: 2,
    bodyStart: 2,
    bodyBytes: 10,
    bodyLines: 1,
    type: 'text',
    subtype: 'plain',
    parameters: [['charset', 'us-ascii']],
    id: undefined,
    description: undefined,
    encoding: '7bit',
    md5: undefined,
    disposition: undefined,
    languages: [],
    location: undefined,
    children: [],
    envelope: undefined,
    ...fields,
  };
}

const strings: readonly (readonly [string, string])[] = [
  ['', '""'],
  ['plain', '"plain"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['a\r\n* BYE', '{8}\r\na\r\n* BYE'],
  ['a\0b', '{3}\r\na b'],
  ['x'.repeat(1001), `{1001}\r\n${'x'.repeat(1001)}`],
  ['\u00e4', '{1}\r\n?'],
];

test('strings are quoted where safe, literals otherwise', () => {
  for (const [text, wire] of strings) assert.equal(formatString(text), wire);
  assert.equal(formatNString(undefined), 'NIL');
  assert.equal(formatAString('INBOX'), 'INBOX');
  assert.equal(formatAString('nil'), '"nil"');
  assert.equal(formatAString('a b'), '"a b"');
  assert.equal(formatAString(''), '""');
  assert.equal(formatAString('a%b'), '"a%b"');
});

test('an envelope has the form of RFC 3501 8', () => {
  const wire = formatEnvelope(
    envelope({
      date: 'Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
      subject: 'IMAP4rev1 WG mtg summary and minutes',
      from: [terry],
      sender: [terry],
      replyTo: [terry],
      to: [{ name: undefined, local: 'imap', domain: 'cac.washington.edu' }],
      messageId: '<B27397-0100000@cac.washington.edu>',
    }),
  );
  const gray = '(("Terry Gray" NIL "gray" "cac.washington.edu"))';
  assert.equal(
    latin1(wire),
    '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" ' +
      `${gray} ${gray} ${gray} ((NIL NIL "imap" "cac.washington.edu")) NIL NIL NIL ` +
      '"<B27397-0100000@cac.washington.edu>")',
  );
});

test('groups, international names and domains are 7-bit', () => {
  const to: FieldAddress[] = [
    { name: undefined, local: 'Friends', domain: undefined },
    { name: 'J\u00fcrgen', local: 'j', domain: 'b\u00fccher.example' },
    { name: undefined, local: '', domain: undefined },
  ];
  assert.match(
    latin1(formatEnvelope(envelope({ to }))),
    / \(\(NIL NIL "Friends" NIL\)\("=\?utf-8\?Q\?J=C3=BCrgen\?=" NIL "j" "xn--bcher-kva\.example"\)\(NIL NIL NIL NIL\)\) /,
  );
});

test('raw 8-bit subjects become encoded words, encoded words stay', () => {
  assert.equal(encodeRawText('=?utf-8?Q?a?= b'), '=?utf-8?Q?a?= b');
  assert.equal(encodeRawText('gr\xc3\xbcn ist'), '=?utf-8?B?Z3LDvG4=?= ist');
  assert.equal(encodeRawText('\xc3\xbc \xc3\xbc x'), `${encodeWords('\u00fc \u00fc')} x`);
  const mixed = encodeRawText('=?utf-8?Q?a?= \xc3\xbc =?utf-8?Q?b?=');
  assert.equal(mixed, `=?utf-8?Q?a?= ${encodeWords(' \u00fc ')} =?utf-8?Q?b?=`);
  assert.equal(encodeRawText('gr\xfcn'), '=?windows-1252?Q?gr=FCn?=');
});

test('a name that decodes to a line break or to an encoded word does neither for the client', () => {
  assert.equal(encodeWords('a\r\n* 1 EXPUNGE'), 'a * 1 EXPUNGE');
  assert.equal(encodeWords('=?x?Q?y?='), '=?utf-8?B?PT94P1E/eT89?=');
});

test('no envelope lets a raw 8-bit or an unescaped octet through', () => {
  const text = fc.string({ unit: 'binary', maxLength: 120 });
  fc.assert(
    fc.property(text, text, text, text, (name, local, domain, subject) => {
      const from = [{ name, local, domain }];
      const wire = latin1(formatEnvelope(envelope({ from, subject, messageId: subject })));
      assert.ok(balanced(wire), JSON.stringify(wire));
      assert.doesNotMatch(wire, /[\x80-\xff\0]/);
    }),
  );
});

test('encoded words are at most 75 characters and decode to the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
      const clean = text.replace(/[\x00-\x1f\x7f]+/g, ' ');
      const encoded = encodeWords(`\u00e4${text}`);
      let decoded = '';
      for (const word of encoded.split(' ')) {
        assert.ok(word.length <= 75, word);
        const [, kind, data = ''] = /^=\?utf-8\?([QB])\?(.*)\?=$/.exec(word) ?? [];
        const octets = kind === 'B' ? Buffer.from(data, 'base64') : unq(data);
        decoded += octets.toString('utf8');
      }
      assert.equal(decoded, `\u00e4${clean}`.toWellFormed());
    }),
  );
});

test('a text part, BODY and BODYSTRUCTURE', () => {
  const text = part({ bodyBytes: 3028, bodyLines: 92 });
  assert.equal(
    latin1(formatBody(text)),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3028 92)',
  );
  assert.equal(
    latin1(formatBodyStructure(text)),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3028 92 NIL NIL NIL NIL)',
  );
});

test('multipart with all extension fields', () => {
  const image = part({
    type: 'image',
    subtype: 'png',
    parameters: [],
    id: '<i@x>',
    description: 'a "picture"',
    encoding: 'base64',
    md5: 'Q2hlY2s=',
    disposition: { value: 'inline', parameters: [['filename', 'gr\u00fcn.png']] },
    languages: ['de', 'en'],
    location: 'http://x/',
  });
  const mixed = part({
    type: 'multipart',
    subtype: 'mixed',
    parameters: [['boundary', 'b']],
    children: [part(), image],
    languages: ['de'],
  });
  assert.equal(
    latin1(formatBodyStructure(mixed)),
    '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 1 NIL NIL NIL NIL)' +
      '("image" "png" NIL "<i@x>" "a \\"picture\\"" "base64" 10 "Q2hlY2s=" ' +
      `("inline" ("filename*" "utf-8''gr%C3%BCn.png")) ("de" "en") "http://x/")` +
      ' "mixed" ("boundary" "b") NIL "de" NIL)',
  );
});

test('message/rfc822 has envelope, structure and lines; the root keeps its own envelope', () => {
  const inner = part({ envelope: envelope({ subject: 'inner' }) });
  const message = part({
    type: 'message',
    subtype: 'rfc822',
    parameters: [],
    bodyLines: 7,
    children: [inner],
    envelope: envelope({ subject: 'outer' }),
  });
  assert.equal(
    latin1(formatBody(message)),
    '("message" "rfc822" NIL NIL NIL "7bit" 10 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
      '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 1) 7)',
  );
});

test('a multipart without parts and a message that cannot be read still fit the grammar', () => {
  const none = part({ type: 'multipart', subtype: 'mixed', parameters: [] });
  assert.equal(latin1(formatBody(none)), '(("text" "plain" NIL NIL NIL "7bit" 0 0) "mixed")');
  const broken = part({ type: 'message', subtype: 'rfc822', parameters: [] });
  assert.match(latin1(formatBody(broken)), /\(NIL( NIL){9}\) \("text" "plain" NIL/);
});

test('100,000 nested parts need no recursion', () => {
  let deep = part();
  for (let level = 0; level < 100_000; level++) {
    deep = part({ type: 'multipart', subtype: 'm', parameters: [], children: [deep] });
  }
  assert.ok(balanced(latin1(formatBodyStructure(deep))));
});

test('hostile parameters, dispositions and locations cannot break out', () => {
  const text = fc.string({ unit: 'binary', maxLength: 80 });
  fc.assert(
    fc.property(text, text, (name, value) => {
      const hostile = part({
        subtype: value,
        parameters: [[name, value]],
        id: value,
        description: value,
        disposition: { value, parameters: [[name, value]] },
        languages: [value],
        location: value,
      });
      const wire = latin1(formatBodyStructure(hostile));
      assert.ok(balanced(wire), JSON.stringify(wire));
      assert.doesNotMatch(wire, /[\x80-\xff\0]/);
    }),
  );
});

/** Reads one parenthesised list as a client would: strings skipped, nothing after the end. */
function balanced(wire: string): boolean {
  let depth = 0;
  for (let at = 0; at < wire.length; at++) {
    const c = wire[at];
    if (c === '"') {
      for (at++; wire[at] !== '"'; at++) {
        if (at >= wire.length || wire[at] === '\r' || wire[at] === '\n') return false;
        if (wire[at] === '\\') at++;
      }
    } else if (c === '{') {
      const length = /^\{(\d+)\}\r\n/.exec(wire.slice(at, at + 20));
      if (length === null) return false;
      at += length[0].length + Number(length[1]) - 1;
    } else if (c === '(') depth++;
    else if (c === ')') {
      depth--;
      if (depth === 0) return at === wire.length - 1;
    } else if (!/[ A-Z0-9]/.test(c ?? '')) return false;
  }
  return false;
}

function unq(data: string): Buffer {
  const plain = data.replaceAll('_', ' ');
  return Buffer.from(
    plain.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
}
