/** What header fields hold: addresses, words, parameters, dates, ids; and octets in charsets. */

import { formatAddress, parseAddress, parseLocalPart, quoteLocalPart } from '#base/address.ts';
import { fromLatin1, latin1, parseUtf8, utf8, visible } from '#base/bytes.ts';
import { isIpv4, normalIpv6, parseAddressLiteral, parseDomain } from '#base/domain.ts';
import { parseAddresses } from '#message/addresses.ts';
import { decodeCharset } from '#message/charset.ts';
import { withParameters } from '#message/compose.ts';
import { formatDate, parseMailDate } from '#message/date.ts';
import { acceptField, formatMailboxes, formatStructured, formatText } from '#message/field-text.ts';
import { readHead } from '#message/fields.ts';
import { parseMessageId, parseMessageIds } from '#message/ids.ts';
import { parseParametrised } from '#message/parameters.ts';
import {
  decodeBase64,
  decodeQuotedPrintable,
  decodeTransfer,
  encodeBase64,
  encodeQuotedPrintable,
} from '#message/transfer.ts';
import { decodeWords, encodeWords } from '#message/words.ts';
import { readPath } from '#protocol/smtp/server/path.ts';
import { decodeXtext, encodeXtext } from '#protocol/smtp/xtext.ts';
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { must, same, type Target } from '../target.ts';

const SEEDS = corpus('src/message', 'src/base');

const ADDRESSES = {
  start: [
    '{one}',
    '{one}, {start}',
    '{name} <{one}>',
    '{name}: {start};',
    '({start})',
    '<{one}>',
    '{start} {start}',
  ],
  one: ['{local}@{domain}', '@x,@y:{local}@{domain}', '{local}', '{local}@{local}@{domain}'],
  local: [
    'a',
    'a.b',
    '"a b"',
    '"\\""',
    '"a@b"',
    '""',
    'jos\xc3\xa9',
    'a..b',
    '.a',
    'x+tag',
    '\xff',
    'postmaster',
  ],
  domain: [
    'b.test',
    '[127.0.0.1]',
    '[IPv6:::1]',
    '[IPv6:::ffff:1.2.3.4]',
    'xn--bcher-kva.test',
    'b\xc3\xbccher.test',
    'b.',
    '-b',
    '1.2.3.4',
    'b..c',
    'localhost',
    '\xe2\x80\xaeb.test',
  ],
  name: ['A', '"A, B"', '=?utf-8?q?=C3=A9?=', 'A (c)', '(c)', '', '"\\', 'A\r\n B', 'g'],
};

/** Addresses of envelopes and of header fields. */
export const addresses: Target = {
  name: 'addresses',
  seeds: SEEDS,
  generate: (chance) => expand(ADDRESSES, 'start', chance),
  maxOctets: 1_000,
  run({ octets }) {
    const raw = latin1(octets);
    const text = parseUtf8(octets) ?? raw;
    const parsed = parseAddress(text);
    if (parsed !== undefined) {
      const again = parseAddress(formatAddress(parsed));
      same(JSON.stringify(again), JSON.stringify(parsed), 'an address comes back as written');
      must(
        !/[\r\n\0<>]/.test(formatAddress(parsed).replace(/"(?:\\.|[^"])*"/gs, '')),
        'one address',
      );
      must(Buffer.byteLength(text) <= 254, 'an address has its limit');
    }
    const local = parseLocalPart(text);
    if (local !== undefined && local !== '') {
      const quoted = quoteLocalPart(local);
      if (Buffer.byteLength(quoted) <= 64)
        same(parseLocalPart(quoted) ?? '?', local, 'a local part');
    }
    const domain = parseDomain(text);
    if (domain !== undefined) {
      same(parseDomain(domain) ?? '?', domain, 'a domain in its normal form');
      must(/^[a-z0-9_.-]+$/.test(domain), 'a domain is A-labels', domain);
    }
    const literal = parseAddressLiteral(text);
    if (literal !== undefined) same(parseAddressLiteral(literal) ?? '?', literal, 'a literal');
    must(isIpv4(text) === isIPv4(text), 'IPv4 as everybody reads it', text);
    const six = normalIpv6(text);
    must((six !== undefined) === (isIPv6(text) && !text.includes('%')), 'IPv6 likewise', text);
    if (six !== undefined) must(isIP(six) === 6 && normalIpv6(six) === six, 'normal form', six);
    const path = readPath(`<${text}>`);
    must(path?.address === undefined || path.address === null || path.ascii || text !== '', 'path');
    const entries = parseAddresses(raw);
    must(entries.length <= raw.length + 2, 'no more addresses than octets', entries);
    const xtext = decodeXtext(text);
    if (xtext !== undefined) same(decodeXtext(encodeXtext(xtext)) ?? '?', xtext, 'xtext');
    written(text);
  },
};

/** Names and addresses that we write are read as one address with that name. */
function written(text: string): void {
  const field = formatMailboxes('To', [{ name: text, address: 'a@b.test' }]);
  const { fields } = readHead(utf8(`${field}\r\n`));
  must(fields.length === 1 && fields[0]?.key === 'to', 'one field', text, field);
  const entries = parseAddresses(fields[0]?.value ?? '');
  const [entry] = entries;
  must(entries.length === 1 && entry?.domain === 'b.test', 'one address', text, field, entries);
  for (const line of field.split('\r\n')) must(line.length <= 998, 'a line of 998', line);
}

const WORDS = {
  start: [
    '{word}',
    '{word} {word}',
    'x {word}y',
    '{word}\r\n {word}',
    '{plain}',
    '{start} {start}',
  ],
  word: [
    '=?{charset}?q?{q}?=',
    '=?{charset}?b?{b}?=',
    '=?{charset}*en?Q?{q}?=',
    '=?{charset}?x?y?=',
    '=?{charset}?q?',
    '=?',
  ],
  charset: [
    'utf-8',
    'iso-8859-1',
    'UTF-7',
    'utf-16',
    'iso-2022-jp',
    'x-unknown',
    '',
    'us-ascii',
    'gb18030',
  ],
  q: ['a', '=C3=A9', '_', '=', '=0D=0A', '=00', 'a?b', '=C3', '=1B$B', '\xff'],
  b: ['w6k=', 'w6', '====', 'AA==', 'w6k', '!!!', '/v8=', 'G3sk'],
  plain: ['plain', '\xc3\xa9', '\xff', '\u2028', 'a\tb', '?='],
};

/** Encoded words, text that we write ourselves, parameters. */
export const words: Target = {
  name: 'words',
  seeds: SEEDS,
  generate: (chance) => expand(WORDS, 'start', chance),
  maxOctets: 1_500,
  run({ octets }) {
    const raw = latin1(octets);
    const decoded = decodeWords(raw);
    must(!/[\r\n\0]/.test(decoded), 'no line ends or NUL come out of words', raw, decoded);
    const text = parseUtf8(octets) ?? raw;
    const printable = text.replace(/[\x00-\x1f\x7f]/g, '').toWellFormed();
    const encoded = encodeWords(printable);
    for (const word of encoded.split(' ')) must(word.length <= 75, 'a word of 75', word);
    must(/^[\x20-\x7e]*$/.test(encoded), 'words are ASCII', encoded);
    same(decodeWords(encoded), printable, 'words come back as text');
    for (const wide of [false, true]) {
      oneField('subject', text, formatText('Subject', text, { utf8: wide }));
      oneField('x', text, formatStructured('X', text, { utf8: wide }));
    }
    acceptedField(raw);
    parameters(raw, text);
  },
};

/** Whatever text is put in, one field comes out, in lines that any server takes. */
function oneField(key: string, text: string, field: string): void {
  const { fields } = readHead(utf8(`${field}\r\n`));
  must(fields.length === 1 && fields[0]?.key === key, 'one field', text, field);
  for (const line of field.split('\r\n')) must(utf8(line).length <= 998, 'a line of 998', line);
}

function acceptedField(raw: string): void {
  const accepted = acceptField(`X-Sign: ${raw}`);
  if (accepted === undefined) return;
  const { fields } = readHead(fromLatin1(`${accepted}\r\n`));
  must(fields.length === 1 && fields[0]?.key === 'x-sign', 'what is accepted is one field', raw);
}

function parameters(raw: string, text: string): void {
  const read = parseParametrised(raw);
  for (const [name, value] of read.parameters) {
    must(name === name.toLowerCase() && !/[\r\n\0]/.test(value), 'a parameter', name, value);
  }
  const wanted = text.replace(/[\x00-\x1f\x7f]/g, '').toWellFormed();
  if (wanted.includes('=?')) return;
  const line = withParameters('attachment', [['filename', wanted]]);
  const found = parseParametrised(line).parameters;
  must(found.length === 1 && found[0]?.[0] === 'filename', 'one parameter', wanted, line, found);
  same(found[0]?.[1] ?? '?', wanted, 'a parameter comes back as it was');
}

const DATES = {
  start: [
    '{day}{d} {month} {year} {time} {zone}',
    '{d}-{month}-{year} {time}',
    '{day}{d} {month} {year} {time}',
    '<{id}> {ids}',
    '{id}',
  ],
  day: ['', 'Sun, ', 'Foo, ', 'Sun ', '(c) '],
  d: ['22', '1', '31', '0', '99', '-1'],
  month: ['Nov', 'Feb', 'november', 'xxx', '11'],
  year: ['2026', '99', '70', '1899', '9999', '10000', '99999', '026'],
  time: ['05:00:00', '5:0', '24:00:00', '23:59:60', '23:59:61', '12.30.15', '05:00:00.123'],
  zone: ['+0000', '-1200', '+2359', '+9999', 'GMT', 'EST', 'Z', '(GMT)', 'PST8PDT', ''],
  ids: ['{id}', '<{id}> {ids}', '<{id}><{id}>', '<', '>', 'phrase <{id}>'],
  id: ['a@b', 'a b@c', '', '"a>b"@c', 'x', '\x01@y', 'a@[1.2.3.4]'],
};

export const dates: Target = {
  name: 'dates-ids',
  seeds: SEEDS,
  generate: (chance) => expand(DATES, 'start', chance),
  maxOctets: 500,
  run({ octets }) {
    const text = latin1(octets);
    const date = parseMailDate(text);
    if (date !== undefined) {
      must(Number.isSafeInteger(date.ms) && Math.abs(date.zoneMinutes) < 6_000, 'a date', date);
      const again = parseMailDate(formatDate(date.ms));
      const second = Math.floor(date.ms / 1_000) * 1_000;
      // A zone may push the first and the last day out of the years that we take.
      const inside = date.ms > Date.UTC(1900, 0, 1) && date.ms < Date.UTC(9999, 11, 31);
      must(!inside || again?.ms === second, 'a date comes back', date, formatDate(date.ms));
    }
    for (const id of parseMessageIds(text)) {
      must(id.length > 0 && !/[\s<\x00-\x1f\x7f]/.test(id.replace(/^.*"/, '')), 'an id', id);
    }
    const one = parseMessageId(text);
    must(one === undefined || !/[\r\n\0]/.test(one), 'an id is one line', one);
    must(/^[\x20-\x7e]*$/.test(visible(octets)), 'visible is printable', visible(octets));
  },
};

const CHARSETS = [
  'utf-8',
  'us-ascii',
  'iso-8859-1',
  'windows-1252',
  'utf-7',
  'utf-16',
  'utf-16le',
  'iso-2022-jp',
  'gb18030',
  'big5',
  'shift_jis',
  'euc-kr',
  'koi8-r',
  'x-none',
  '',
  '__proto__',
  undefined,
];

export const transfer: Target = {
  name: 'transfer',
  seeds: SEEDS,
  generate: (chance) => {
    if (chance.once(2)) return chance.octets(chance.below(600));
    return expand(
      {
        start: ['{a}', '{a}{start}'],
        a: [
          '=\r\n',
          '=3D',
          '= \r\n',
          'x',
          'QUJD',
          '=?A',
          '\t\r\n',
          '=',
          '\r\n.',
          'From ',
          '\r',
          '\n',
        ],
      },
      'start',
      chance,
    );
  },
  run({ octets, setup }) {
    const chance = new Chance(setup, 'transfer');
    const base64 = encodeBase64(octets);
    must(Buffer.from(decodeBase64(base64).bytes).equals(octets), 'base64 comes back');
    const quoted = encodeQuotedPrintable(octets);
    must(
      Buffer.from(decodeQuotedPrintable(quoted).bytes).equals(octets),
      'quoted-printable comes back',
    );
    for (const form of [base64, quoted]) {
      for (const line of latin1(form).split('\r\n')) {
        must(line.length <= 76 && /^[\t\x20-\x7e]*$/.test(line), 'an encoded line', line);
        must(!/^\.|^From |[ \t]$/.test(line), 'a line that travels unharmed', line);
      }
    }
    for (const name of ['base64', 'QUOTED-PRINTABLE', '7bit', 'x']) {
      must(decodeTransfer(name, octets).bytes.length <= octets.length, 'decoding does not grow');
    }
    const text = decodeCharset(chance.pick(CHARSETS), octets);
    must(text.isWellFormed() && text.length <= octets.length * 2 + 2, 'text of octets');
  },
};
