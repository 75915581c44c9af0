/** Tests of encoded words, parameters, charsets and transfer encodings. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromLatin1, latin1, utf8 } from '#base/bytes.ts';
import { decodeCharset, isKnownCharset } from './charset.ts';
import { parseParametrised } from './parameters.ts';
import * as transfer from './transfer.ts';
import { decodeWords, encodeWords } from './words.ts';

const WORDS: readonly (readonly [string, string])[] = [
  // RFC 2047 8.
  ['=?ISO-8859-1?Q?a?=', 'a'],
  ['=?ISO-8859-1?Q?a?= b', 'a b'],
  ['=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=', 'ab'],
  ['=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=', 'ab'],
  ['=?ISO-8859-1?Q?a_b?=', 'a b'],
  ['=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=', 'a b'],
  ['=?US-ASCII?Q?Keith_Moore?= <x>', 'Keith Moore <x>'],
  ['=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=', 'If you can read this yo'],
  // As it really comes.
  ['plain', 'plain'],
  ['=?utf-8?q?a?= and =?utf-8?q?b?= end', 'a and b end'],
  ['x=?utf-8?q?=C3=A4?=y', 'xäy'],
  ['=?utf-8?q?=C3?==?utf-8?q?=A4?=', 'ä'],
  ['=?UTF-8?B?w6T?=', 'ä'],
  ['=?utf-8*en?q?=C3=A4?=', 'ä'],
  ['=?utf-8?q?a b?=', 'a b'],
  ['=?utf-8?q?really??=', 'really?'],
  ['=?utf-8?q??=', ''],
  ['=?utf-8?q?=4?= =?utf-8?q?=zz?=', '=4=zz'],
  ['=?utf-8?q?=FF?=', '\ufffd'],
  ['=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=', '日本'],
  ['=?windows-1251?q?=CF?=', 'П'],
  ['=?utf-7?q?+ADw-script+AD4-?=', '+ADw-script+AD4-'],
  ['=?nonsense?q?=E4?=', 'ä'],
  ['=?nonsense?q?=C3=A4?=', 'ä'],
  ['=?utf-8?x?a?=', '=?utf-8?x?a?='],
  ['=?utf-8?q?a', '=?utf-8?q?a'],
  ['=??q?a?=', '=??q?a?='],
  ['=?=?utf-8?q?a?=', '=?a'],
  ['\xc3\xa4 =?utf-8?q?b?=', 'ä b'],
  ['=?utf-8?q?a=0D=0Ab=00c?=', 'a  b\ufffdc'],
];

test('encoded words, as the RFC has them and as mail has them', () => {
  for (const [raw, expected] of WORDS) assert.equal(decodeWords(raw), expected, raw);
});

test('encoded words are short, ASCII, and decode to what was written', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 120 });
  fc.assert(
    fc.property(
      fc.oneof(text, fc.constantFrom('ä'.repeat(90), '=?', '日本 '.repeat(40))),
      (value) => {
        const encoded = encodeWords(value);
        for (const word of encoded.split(' ')) {
          assert.match(word, /^(=\?utf-8\?[qb]\?[!-~]+\?=)?$/);
          assert.ok(word.length <= 75);
        }
        assert.equal(decodeWords(encoded), value);
      },
    ),
  );
});

const PARAMETERS: readonly (readonly [string, string])[] = [
  ['a/b; c=d', 'c=d'],
  ['a/b;c="d e";F=G', 'c=d e|f=G'],
  ['a/b; c="d\\"e"', 'c=d"e'],
  ['a/b; c = d (x); (y) e = f', 'c=d|e=f'],
  ['a/b; name=my file.pdf; x=y', 'name=my file.pdf|x=y'],
  ['a/b; name=file(1).pdf', 'name=file(1).pdf'],
  ['a/b; charset=us-ascii (Plain text)', 'charset=us-ascii'],
  ['a/b;; ; c=d;', 'c=d'],
  ['a/b; novalue; c=', 'c='],
  ['a/b; c="unclosed; d=e', 'c=unclosed|d=e'],
  ['a/b; c=1; c=2', 'c=1'],
  ['a/b; __proto__=x; constructor=y', '__proto__=x|constructor=y'],
  ['a/b; url="a;b=c"', 'url=a;b=c'],
  // RFC 2231 3, 4, 4.1.
  ['a/b; URL*0="ftp://"; URL*1="cs.utk.edu"', 'url=ftp://cs.utk.edu'],
  ["a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", 'title=This is ***fun***'],
  [
    "a/b; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
    "title=This is even more ***fun*** isn't it!",
  ],
  ["a/b; f*1*=%C3; f*2*=%A4; f*0*=utf-8''x", 'f=xä'],
  ["a/b; f*=utf-8''%C3%A4; f=a", 'f=ä'],
  ["a/b; f=a; f*=utf-8''%C3%A4", 'f=ä'],
  ['a/b; f*1=a', ''],
  ['a/b; f*0=a; f*0=b', 'f=a'],
  ["a/b; f*0*=utf-8''a; f*2*=c", 'f=a'],
  ["a/b; f*=nonsense''%E4", 'f=ä'],
  ['a/b; f*=%C3%A4', 'f=ä'],
  ["a/b; f*=utf-8''%C3%zz%", 'f=\ufffd%zz%'],
  ['a/b; filename="=?utf-8?q?=C3=A4.txt?="', 'filename=ä.txt'],
  ['a/b; filename=\xc3\xa4.txt', 'filename=ä.txt'],
  ["a/b; f*=utf-8''a%0D%0Ab%00", 'f=a  b\ufffd'],
];

test('parameters, continued, encoded, quoted, broken', () => {
  for (const [value, expected] of PARAMETERS) {
    const found = parseParametrised(value).parameters.map((pair) => pair.join('='));
    assert.equal(found.join('|'), expected, value);
  }
});

test('at most as many parameters as the limit', () => {
  const many = parseParametrised(`a/b${'; x*1=y'.repeat(20)}; last=1`, 20);
  assert.deepEqual([many.cut, many.parameters.length], [true, 0]);
  assert.equal(parseParametrised('a/b; c=d', 1).cut, false);
});

test('charsets: what is unknown or dangerous is shown, not obeyed', () => {
  const table: [string | undefined, string, string][] = [
    ['utf-8', '\xc3\xa4', 'ä'],
    ['UTF-8', '\xef\xbb\xbfa', 'a'],
    ['utf-8', '\xff', '\ufffd'],
    [undefined, '\xc3\xa4', 'ä'],
    [undefined, '\xe4\x80', 'ä€'],
    ['us-ascii', '\xe4', 'ä'],
    ['iso-8859-1', '\xe4', 'ä'],
    ['utf-7', '+AOQ-', '+AOQ-'],
    ['utf-16', 'a\0b\0', 'ab'],
    ['utf-16', 'a\0b', 'a\ufffd'],
    ['replacement', 'a', 'a'],
    ['x'.repeat(100), '\xe4', 'ä'],
    ['__proto__', 'a', 'a'],
  ];
  for (const [label, octets, text] of table) {
    assert.equal(decodeCharset(label, fromLatin1(octets)), text, String(label));
  }
  assert.deepEqual([isKnownCharset('KOI8-R'), isKnownCharset('utf-7')], [true, false]);
});

const BASE64: readonly (readonly [string, string, boolean])[] = [
  ['YQ==', 'a', false],
  ['YWI=', 'ab', false],
  ['YW\r\nJj', 'abc', false],
  ['YQ', 'a', false],
  ['YQ==YQ==', 'aa', false],
  ['YWJj!ZGVm', 'abcdef', true],
  ['Y', '', true],
  ['YWJjZ', 'abc', true],
  ['====', '', false],
  ['', '', false],
];
const QUOTED: readonly (readonly [string, string, boolean])[] = [
  ['a=3Db', 'a=b', false],
  ['a=\r\nb', 'ab', false],
  ['a= \t\r\nb', 'ab', false],
  ['a=\nb', 'ab', false],
  ['a \t\r\nb  ', 'a\r\nb', false],
  ['a=20\r\nb', 'a \r\nb', false],
  ['=e4=E4', '\xe4\xe4', false],
  ['a=', 'a', false],
  ['a=4', 'a=4', true],
  ['a=zz', 'a=zz', true],
  ['a = b', 'a = b', true],
  ['', '', false],
];

test('transfer encodings, with damage', () => {
  for (const [from, to, damaged] of BASE64) {
    const { bytes, damaged: found } = transfer.decodeTransfer('BASE64', fromLatin1(from));
    assert.deepEqual([latin1(bytes), found], [to, damaged], from);
  }
  for (const [from, to, damaged] of QUOTED) {
    const { bytes, damaged: found } = transfer.decodeTransfer('quoted-printable', fromLatin1(from));
    assert.deepEqual([latin1(bytes), found], [to, damaged], from);
  }
  assert.equal(latin1(transfer.decodeTransfer('x-uuencode', utf8('a=')).bytes), 'a=');
});

test('what is encoded decodes to the same octets, in short ASCII lines', () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.constantFrom('\r\n', ' ', '.', 'F', '\r', '=', 'x'.repeat(75)), { maxLength: 20 })
      .map((pieces) => fromLatin1(pieces.join(''))),
  );
  fc.assert(
    fc.property(octets, (bytes) => {
      const quoted = transfer.encodeQuotedPrintable(bytes);
      const base64 = transfer.encodeBase64(bytes);
      for (const line of latin1(quoted).split('\r\n')) assert.match(line, /^[\t -~]{0,76}$/);
      for (const line of latin1(base64).split('\r\n')) assert.match(line, /^[!-~]{0,76}$/);
      assert.equal(latin1(transfer.decodeQuotedPrintable(quoted).bytes), latin1(bytes));
      assert.equal(latin1(transfer.decodeBase64(base64).bytes), latin1(bytes));
      assert.doesNotMatch(latin1(quoted), /^(\.|From )/m);
    }),
  );
});

test('any octets: decoding never throws', () => {
  const label = fc.oneof(
    fc.string(),
    fc.constantFrom('utf-16be', 'gb18030', 'iso-2022-jp', 'big5'),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), label, (bytes, name) => {
      const text = decodeCharset(name, bytes);
      assert.ok(text.isWellFormed());
      decodeWords(latin1(bytes));
      parseParametrised(latin1(bytes));
      assert.ok(transfer.decodeBase64(bytes).bytes.length <= bytes.length);
    }),
  );
});
