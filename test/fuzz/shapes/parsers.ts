/** Shapes for parsers and writers outside of machines; the reader of messages has its own. */

import { parseAddress, parseLocalPart } from '#base/address.ts';
import type { Domain, QueueId } from '#base/brand.ts';
import { fromLatin1, utf8 } from '#base/bytes.ts';
import { normalIpv6, parseDomain } from '#base/domain.ts';
import { facts as noticeFacts, recipient } from '#agents/notify/testing.ts';
import { buildNotice } from '#agents/notify/notice.ts';
import { decodeCharset } from '#message/charset.ts';
import {
  hasSoundLines,
  headersPart,
  messagePart,
  textPart,
  withParameters,
} from '#message/compose.ts';
import { editHead } from '#message/edit.ts';
import { acceptField, formatMailboxes, formatStructured, formatText } from '#message/field-text.ts';
import { parseMessageIds, threadIds } from '#message/ids.ts';
import { readStructure } from '#message/scanner.ts';
import { encodeBase64, encodeQuotedPrintable } from '#message/transfer.ts';
import { decodeParts, encodeParts } from '#message/tree.ts';
import { encodeWords } from '#message/words.ts';
import { formatBodyStructure } from '#protocol/imap/format/body-structure.ts';
import { formatEnvelope } from '#protocol/imap/format/envelope.ts';
import { decodeName, encodeName } from '#protocol/imap/mailbox-name.ts';
import { formatSet, mergeRanges } from '#protocol/imap/syntax/number-set.ts';
import { matchesPattern } from '#protocol/imap/wildcard.ts';
import { ProxyHeader } from '#protocol/proxy.ts';
import { decodeBase64 as decodeSasl } from '#protocol/sasl/base64.ts';
import { prepareSasl } from '#protocol/sasl/prepare.ts';
import { decodeSaslName, parseAttributes } from '#protocol/sasl/scram.ts';
import { parseCapabilities } from '#protocol/smtp/client/capabilities.ts';
import { ReplyParser } from '#protocol/smtp/client/reply-parser.ts';
import { WireText } from '#protocol/smtp/client/wire-text.ts';
import { decodeXtext, encodeXtext } from '#protocol/smtp/xtext.ts';
import { type Shape, shape } from '../linear.ts';

const times =
  (unit: string, before = '', after = '') =>
  (n: number) =>
    before + unit.repeat(n) + after;
const octets =
  (unit: string, before = '', after = '') =>
  (n: number) =>
    fromLatin1(times(unit, before, after)(n));

const LIMITS = { lineBytes: 2 ** 31, lines: 2 ** 31, replyBytes: 2 ** 31 };

function wire(piece: number): (content: Uint8Array) => number {
  return (content) => {
    const text = new WireText(true);
    let size = 0;
    for (let at = 0; at < content.length; at += piece) {
      size += text.push(content.subarray(at, at + piece)).length;
    }
    return size + text.finish().length;
  };
}

const CLIENT_SHAPES: readonly Shape[] = [
  shape('smtp-replies', 'lines of one reply', 5_000, octets('250-x\r\n'), (text) =>
    new ReplyParser(LIMITS).push(text),
  ),
  shape('smtp-replies', 'replies', 5_000, octets('250 x\r\n'), (text) =>
    new ReplyParser(LIMITS).push(text),
  ),
  shape('smtp-replies', 'a long line', 100_000, octets('x', '250 ', '\r\n'), (text) =>
    new ReplyParser(LIMITS).push(text),
  ),
  shape(
    'smtp-replies',
    'enhanced codes',
    5_000,
    octets('250-2.1.0 \r\n', '', '250 2.1.0\r\n'),
    (text) => new ReplyParser(LIMITS).push(text),
  ),
  shape('smtp-replies', 'lines octet by octet', 2_000, octets('250 x\r\n'), (text) => {
    const parser = new ReplyParser(LIMITS);
    for (let at = 0; at < text.length; at++) parser.push(text.subarray(at, at + 1));
  }),
  shape(
    'smtp-client',
    'EHLO keywords',
    3_000,
    (n) => Array.from({ length: n }, (_, at) => `K${at} a b`),
    (lines) => parseCapabilities({ code: 250, enhanced: undefined, lines: ['x', ...lines] }),
  ),
  shape('smtp-client', 'dots to double', 20_000, octets('.\r\n'), wire(65_536)),
  shape('smtp-client', 'line ends to repair', 50_000, octets('\n'), wire(65_536)),
  shape('smtp-client', 'CR to repair', 50_000, octets('\r'), wire(65_536)),
  shape('smtp-client', 'content octet by octet', 10_000, octets('\r\n.'), wire(1)),
  shape('smtp-client', 'one endless line', 500_000, octets('x'), wire(1_000)),
];

const SASL_SHAPES: readonly Shape[] = [
  shape('sasl', 'base64', 50_000, times('AAAA'), decodeSasl),
  shape('sasl', 'no base64', 50_000, times('='), decodeSasl),
  shape('sasl', 'attributes', 10_000, times('a=b,', '', 'c=d'), parseAttributes),
  shape('sasl', 'commas', 20_000, times(','), parseAttributes),
  shape('sasl', 'escapes in a name', 20_000, times('=2C'), decodeSaslName),
  shape('sasl', 'a long name', 20_000, times('\u00aa'), (text) => prepareSasl(text, 2 ** 31)),
  shape('proxy', 'a line that does not end', 50_000, octets('x', 'PROXY '), (text) =>
    new ProxyHeader().push(text),
  ),
];

const notice = (reply: readonly string[], recipients: number): unknown =>
  buildNotice(
    noticeFacts({
      recipients: Array.from({ length: recipients }, () =>
        recipient({ reply: { code: 550, enhanced: undefined, lines: reply } }),
      ),
    }),
    { id: 'N1' as QueueId, myhostname: 'mail.demo.test' as Domain, random: new Uint8Array(24) },
  );

const WRITER_SHAPES: readonly Shape[] = [
  shape(
    'notice',
    'recipients',
    100,
    (n) => n,
    (n) => notice(['no'], n),
  ),
  shape('notice', 'an endless answer', 50_000, times('x '), (text) => notice([text], 1)),
  shape(
    'notice',
    'lines of an answer',
    5_000,
    (n) => Array.from({ length: n }, () => 'x'),
    (lines) => notice(lines, 1),
  ),
  shape('compose', 'encoded words', 5_000, times('\u00e9'), encodeWords),
  shape('compose', 'a text of words', 5_000, times('x '), (text) => formatText('Subject', text)),
  shape('compose', 'a text of one word', 20_000, times('x'), (text) => formatText('Subject', text)),
  shape('compose', 'a structured value', 10_000, times('x; '), (text) =>
    formatStructured('X', text),
  ),
  shape('compose', 'a structured word', 50_000, times('x'), (text) => formatStructured('X', text)),
  shape(
    'compose',
    'mailboxes',
    1_000,
    (n) => Array.from({ length: n }, () => ({ name: '"', address: 'a@b.test' })),
    (list) => formatMailboxes('To', list),
  ),
  shape('compose', 'a parameter', 10_000, times('\u00e9'), (text) =>
    withParameters('a', [['name', text]]),
  ),
  shape('compose', 'quoted-printable of blanks', 50_000, octets(' \r\n'), encodeQuotedPrintable),
  shape('compose', 'quoted-printable of octets', 50_000, octets('\xff'), encodeQuotedPrintable),
  shape('compose', 'base64', 200_000, octets('x'), encodeBase64),
  shape('compose', 'line ends of a text', 30_000, times('\n'), (text) => textPart(text)),
  shape('compose', 'a message to return', 50_000, octets('\r\n'), messagePart),
  shape('compose', 'a head to return', 20_000, octets('A: b\r\n'), headersPart),
  shape('compose', 'sound lines', 50_000, octets('x\r\n'), hasSoundLines),
  shape('compose', 'CR and no LF', 100_000, octets('\r'), hasSoundLines),
  shape('compose', 'a field of folds', 10_000, times('\r\n x', 'X: '), acceptField),
  shape('compose', 'blanks in a field', 50_000, times(' ', 'X: a\r\n', 'x'), acceptField),
  shape('compose', 'fields taken out', 3_000, octets('Bcc: x\r\n', '', '\r\n'), (head) =>
    editHead(head, { remove: ['bcc'] }),
  ),
  shape('compose', 'fields kept', 3_000, octets('A: x\r\n', '', '\r\n'), (head) =>
    editHead(head, { remove: ['bcc'] }),
  ),
];

const mixed = (n: number): string =>
  `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(n)}--b--`;
const tree = (n: number) => readStructure(fromLatin1(mixed(n))).root;

const TEXT_SHAPES: readonly Shape[] = [
  shape('addresses', 'labels of a domain', 20_000, times('a.', '', 'test'), parseDomain),
  shape('addresses', 'a label', 50_000, times('a'), parseDomain),
  shape('addresses', 'a domain of Unicode', 5_000, times('\u00e9.', '', 'test'), parseDomain),
  shape('addresses', 'colons', 20_000, times(':'), normalIpv6),
  shape('addresses', 'dots of a local part', 20_000, times('a.', '', 'a@b'), parseAddress),
  shape('addresses', 'escapes of a local part', 20_000, times('\\"', '"', '"'), parseLocalPart),
  shape('ids', 'identifiers', 5_000, times('<a@b>'), (text) => parseMessageIds(text, 2 ** 31)),
  shape(
    'ids',
    'a thread',
    5_000,
    (n) => Array.from({ length: n }, (_, at) => `a${at}@b`),
    (ids) => threadIds(ids, ids),
  ),
  shape('charset', 'ISO-2022-JP escapes', 20_000, octets('\x1b$B'), (text) =>
    decodeCharset('iso-2022-jp', text),
  ),
  shape('charset', 'broken UTF-8', 100_000, octets('\xf0'), (text) => decodeCharset('utf-8', text)),
  shape('charset', 'no charset', 100_000, octets('\xe9'), (text) => decodeCharset(undefined, text)),
  shape('xtext', 'escapes', 10_000, times('+41'), decodeXtext),
  shape('xtext', 'octets to escape', 10_000, times('\u00e9'), encodeXtext),
  shape('imap-syntax', 'a name decoded', 10_000, times('&AOk-'), decodeName),
  shape('imap-syntax', 'a name of one shift', 50_000, times('AOkA', '&', '-'), decodeName),
  shape('imap-syntax', 'a name encoded', 10_000, times('\u00e9x'), encodeName),
  shape('imap-syntax', 'a pattern for a long name', 5_000, times('a', '', 'b'), (name) =>
    matchesPattern(name, '*a*a*a*a*a*a*a*a*a*b'),
  ),
  shape('imap-syntax', 'a long pattern', 5_000, times('*a'), (pattern) =>
    matchesPattern('a'.repeat(40), pattern),
  ),
  shape(
    'imap-syntax',
    'ranges merged',
    10_000,
    (n) => Array.from({ length: n }, (_, at) => [2 * (n - at), 2 * (n - at)] as const),
    mergeRanges,
  ),
  shape(
    'imap-syntax',
    'a set written',
    10_000,
    (n) => Array.from({ length: n }, (_, at) => 2 * at + 1),
    formatSet,
  ),
  shape('imap-format', 'BODYSTRUCTURE of parts', 1_000, tree, formatBodyStructure),
  shape(
    'imap-format',
    'ENVELOPE of addresses',
    2_000,
    (n) => readStructure(fromLatin1(`To: ${'a@b, '.repeat(n)}\r\n\r\n`)).root.envelope,
    (envelope) => (envelope === undefined ? 0 : formatEnvelope(envelope)),
  ),
  shape(
    'imap-format',
    'ENVELOPE of a subject',
    4_000,
    (n) => readStructure(utf8(`Subject: ${'\u00e9 "'.repeat(n)}\r\n\r\n`)).root.envelope,
    (envelope) => (envelope === undefined ? 0 : formatEnvelope(envelope)),
  ),
  shape('parts', 'a tree kept', 1_000, tree, encodeParts),
  shape('parts', 'a tree read', 1_000, (n) => encodeParts(tree(n)), decodeParts),
  shape('parts', 'a text that is no tree', 20_000, times('['), (text) => {
    try {
      return decodeParts(text);
    } catch {
      return undefined;
    }
  }),
];

export const PARSER_SHAPES: readonly Shape[] = [
  ...CLIENT_SHAPES,
  ...SASL_SHAPES,
  ...WRITER_SHAPES,
  ...TEXT_SHAPES,
];
