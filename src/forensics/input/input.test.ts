/** Tests of reading: any pieces give the same, mbox in four forms, nothing hostile costs much. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NO_BYTES, fromLatin1, latin1 } from '#base/bytes.ts';
import { HEAD_BYTES } from '#base/limits.ts';
import { examine, type Examined } from '../examine.ts';
import { reportJson } from '../report/json.ts';
import { htmlArticle } from '../report/html.ts';
import { TRACES } from '../specimen.ts';
import { BOUNDARY, examined, examineOptions, message, US } from '../testing.ts';
import { type MboxOptions, MboxSplitter, looksLikeMbox } from './mbox.ts';
import { SpecimenReader } from './reader.ts';

function split(mbox: string, options: MboxOptions = {}, step = 1e9): string[] {
  const messages: string[] = [];
  const splitter = new MboxSplitter(() => {
    const at = messages.push('') - 1;
    return { push: (bytes) => void (messages[at] += latin1(bytes)), end: () => undefined };
  }, options);
  const bytes = fromLatin1(mbox);
  for (let at = 0; at < bytes.length; at += step) splitter.push(bytes.slice(at, at + step));
  splitter.finish();
  return messages;
}

const FROM = 'From alice@example.org Sun Nov 22 10:00:00 2026\n';

test('mbox: the four forms of quoting', () => {
  const quoted = `${FROM}S: 1\n\n>From a\n>>From b\n> From c\n\n${FROM}S: 2\n\nx\n`;
  assert.deepEqual(split(quoted), ['S: 1\n\nFrom a\n>From b\n> From c\n', 'S: 2\n\nx\n']);
  assert.deepEqual(split(quoted, { form: 'o' })[0], 'S: 1\n\nFrom a\n>>From b\n> From c\n');
  assert.deepEqual(split(quoted, { form: 'cl2' })[0], 'S: 1\n\n>From a\n>>From b\n> From c\n');
  const body = `a\n\n${FROM}b\n`;
  const length = `${FROM}Content-Length: ${body.length}\n\n${body}`;
  const both = `${length}\n${length}`;
  const looksAhead = (offset: number): boolean =>
    /^\n?(?:From |$)/.test(both.slice(offset, offset + 6));
  const whole = `Content-Length: ${body.length}\n\n${body}`;
  assert.deepEqual(split(both, { looksAhead }), [whole, whole]);
  assert.deepEqual(split(both, { form: 'cl2' }), [whole, whole]);
  assert.equal(split(both).length, 4, 'nobody can look ahead');
  const lie = both.replace(/Content-Length: \d+/, 'Content-Length: 99999');
  const honest = (offset: number): boolean => offset < lie.length && looksAhead(offset);
  assert.equal(split(lie, { looksAhead: honest }).length, 4, 'a length that leads nowhere');
});

test('mbox: a Content-Length of the sender does not cut a forged message out of his body', () => {
  const forged = `${FROM}Received: from bank.test by mx.us.test with ESMTP id X\n\npay\n`;
  const body = `a\n\n${forged}`;
  for (const lengths of [[2, body.length], [body.length, 2], [body.length], [9_999, body.length]]) {
    const head = lengths.map((length) => `Content-Length: ${length}\n`).join('');
    const both = `${FROM}${head}\n${body}\n${FROM}S: 2\n\nx\n`;
    const looksAhead = (offset: number): boolean =>
      offset <= both.length && /^\n?(?:From |$)/.test(both.slice(offset, offset + 6));
    assert.deepEqual(split(both, { looksAhead }), [`${head}\n${body}`, 'S: 2\n\nx\n']);
  }
});

test('mbox: only a line that looks like a separator after an empty one is one', () => {
  const text = `${FROM}S: 1\n\nFrom me to you\n\nFrom here on\n${FROM}x\n`;
  assert.equal(split(text).length, 1);
  assert.equal(split(`${FROM}S: 1\r\n\r\nx\r\n\r\n${FROM}S: 2\r\n\r\n`).length, 2);
  assert.deepEqual(split(FROM), ['']);
  assert.deepEqual(split('no mbox\n'), []);
});

test('any pieces give the same messages and the same head', () => {
  const text = `${FROM}A: 1\n b\n\n>From x\n\n${FROM}B: 2\r\n\r\ny\n${'z'.repeat(3_000)}\n\n${FROM}C: 3\n`;
  const expected = split(text);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), (step) => {
      assert.deepEqual(split(text, {}, step), expected);
    }),
  );
  const mail = fromLatin1(message().replaceAll('\r\n', '\n'));
  const read = (step: number) => {
    let body = '';
    const sink = { begin: () => (bytes: Uint8Array) => void (body += latin1(bytes)) };
    const reader = new SpecimenReader('x', sink);
    for (let at = 0; at < mail.length; at += step) reader.push(mail.slice(at, at + step));
    const { head, sha256, headOctets } = reader.finish();
    return { fields: head.fields.length, sha256, head: latin1(headOctets), body };
  };
  for (const step of [1, 2, 3, 7, 64]) assert.deepEqual(read(step), read(1e9));
  assert.ok(read(1).head.includes('\r\n\r\n'));
});

/** Processor time, and what came out in both reports. */
async function costs(
  text: string | Uint8Array,
): Promise<{ one: Examined; ms: number; out: string }> {
  const before = process.cpuUsage();
  const bytes = typeof text === 'string' ? fromLatin1(text) : text;
  const one = await examine('hostile', bytes, examineOptions(US));
  const out = JSON.stringify(reportJson(one)) + htmlArticle(one);
  return { one, out, ms: process.cpuUsage(before).user / 1_000 };
}

test('no hostile head costs much: hops, lines, fields, comments, signatures, words', async () => {
  const hop =
    'Received: from a (b [192.0.2.1]) by c with SMTP id X; Sun, 22 Nov 2026 09:00:00 +0000\r\n';
  const heads: readonly (readonly [what: string, text: string])[] = [
    ['100,000 hops', hop.repeat(100_000)],
    ['short hops', 'Received: x\r\n'.repeat(80_000)],
    ['one long line', `Received: ${'a'.repeat(2_000_000)}\r\n`],
    ['open comments', `Received: from a ${'('.repeat(1_000_000)}\r\n`],
    ['a long From', `From: ${'a,<b@c>'.repeat(150_000)}\r\n`],
    ['quotes', `From: ${'"\\'.repeat(400_000)}\r\n`],
    ['encoded words', `Subject: ${'=?utf-8?q?=E2?='.repeat(60_000)}\r\n`],
    ['results', `Authentication-Results: ${'mx.us.test; a=b '.repeat(60_000)}\r\n`],
    ['many results', 'Authentication-Results: mx.us.test; spf=pass\r\n'.repeat(20_000)],
    [
      'signatures',
      `DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=${'from:'.repeat(900)}from; bh=${'A'.repeat(43)}=; b=AAAA\r\n`.repeat(
        100,
      ),
    ],
    ['seals', 'ARC-Seal: i=1; a=rsa-sha256; cv=none; d=a.test; s=s; b=AAAA\r\n'.repeat(10_000)],
    ['empty names', ': x\r\n'.repeat(200_000)],
    ['NULs', '\0'.repeat(1_000_000)],
    ['nothing', ''],
    ['blanks', ' \r\n'.repeat(300_000)],
    ['dates', `Date: ${'('.repeat(900_000)}\r\n`],
  ];
  for (const [what, text] of heads) {
    const { ms, one } = await costs(`${text}From: a@b.test\r\n\r\nbody`);
    assert.ok(ms < 3_000, `${what}: ${Math.round(ms)} ms`);
    assert.ok(one.route.hops.length <= TRACES);
    if (text.length > HEAD_BYTES) assert.ok(one.specimen.headCut, what);
  }
});

test('a second From behind the limit does not get a verdict', async () => {
  const top = 'Authentication-Results: mx.us.test; dmarc=pass header.from=example.org\r\n';
  const long = message({ 'X-Long': 'a'.repeat(HEAD_BYTES), 'X-End': 'x' }, { top });
  const one = await examined(`${long.replace('X-End: x', 'From: boss@us.test')}`);
  assert.deepEqual(one.conclusions.headline.kind, 'cannot be determined');
  const short = await examined(message({}, { top }));
  assert.equal(short.conclusions.headline.kind, 'authenticated');
});

const MARK = '\xef\xbb\xbf';

test('a byte order mark or empty lines on top take no field away, and are hashed', async () => {
  // Without the newest line a forged one below it would be the newest.
  const stranger = BOUNDARY.replace('192.0.2.1', '192.0.2.66');
  const text = message({}, { boundary: stranger + BOUNDARY });
  const plain = await examined(text);
  for (const top of [MARK, '\r\n', '\n\n\n', `${MARK}\r\n\r\n`]) {
    const one = await examined(top + text);
    assert.match(one.conclusions.handedOver.text, /^192\.0\.2\.66/, JSON.stringify(top));
    assert.deepEqual(one.specimen.head.defects, plain.specimen.head.defects);
    assert.notEqual(one.specimen.sha256, plain.specimen.sha256);
    assert.equal(one.specimen.sizeBytes, plain.specimen.sizeBytes + top.length);
    const reader = new SpecimenReader('x', undefined);
    for (const octet of fromLatin1(top + text)) reader.push(Uint8Array.of(octet));
    assert.deepEqual(reader.finish().headOctets, one.specimen.headOctets);
  }
});

test('a file without any LF has CR as its line ends; with one a CR stays what it is', async () => {
  const plain = await examined(message());
  const old = await examined(message().replaceAll('\r\n', '\r'));
  assert.equal(latin1(old.specimen.headOctets), latin1(plain.specimen.headOctets));
  assert.equal(latin1(old.specimen.body ?? NO_BYTES), 'Hi.\r\n');
  assert.deepEqual(old.conclusions.headline, plain.conclusions.headline);
  const odd = await examined(message({ 'X-A': 'b\rFrom: x@evil.test' }));
  assert.equal(odd.conclusions.headline.kind, 'contradicts itself');
});

test('mbox: a byte order mark before the first separator', () => {
  const both = split(`${MARK}${FROM}A: 1\n\nx\n\n${FROM}B: 2\n\ny\n`);
  assert.deepEqual(both, ['A: 1\n\nx\n', 'B: 2\n\ny\n']);
  assert.ok(looksLikeMbox(fromLatin1(MARK + FROM)) && !looksLikeMbox(fromLatin1(`${MARK}To: x`)));
});

test('a line of many megabytes, of a head or of a body, is read in bounded memory', () => {
  const piece = new Uint8Array(1_048_576).fill(0x61);
  const reader = new SpecimenReader('x', { begin: () => () => undefined });
  const before = process.memoryUsage();
  for (let at = 0; at < 128; at++) reader.push(piece);
  const other = new SpecimenReader('y', { begin: () => () => undefined });
  other.push(fromLatin1('From: a@b.test\r\n\r\n'));
  for (let at = 0; at < 128; at++) other.push(piece);
  const after = process.memoryUsage();
  const grown = after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed;
  assert.ok(grown < 64_000_000, `${grown} octets for 256 MiB`);
  assert.ok(reader.finish().headCut && !other.finish().headCut);
});

test('escape codes in any field reach neither JSON nor HTML', async () => {
  const evil = '\x1b[2J\x1b]0;x\x07\x9b31m</script><script>alert(1)</script>\u202e"&\'';
  const raw = Buffer.from(evil).toString('latin1');
  const names = ['From', 'Reply-To', 'Subject', 'Date', 'Message-ID', 'Sender', 'X-Originating-IP'];
  names.push('Thread-Index', 'DKIM-Signature', 'Authentication-Results', 'ARC-Seal', 'List-Id');
  const all = Object.fromEntries(names.map((name) => [name, `${raw} <a@b.test>`]));
  const hop = `Received: from ${raw} (${raw} [192.0.2.1]) by ${raw} with ${raw} id ${raw}; ${raw}\r\n`;
  const one = await examined(`${hop}${message(all, { boundary: hop })}`);
  const html = htmlArticle(one);
  assert.ok(!/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/.test(html));
  assert.ok(!/<script/i.test(html));
  assert.ok(!/[\x00-\x1f]/.test(JSON.stringify(reportJson(one))));
});

test('any octets at all are examined without an error', async () => {
  const chunk = fc.oneof(
    fc.constantFrom(
      'Received: from a by b; ',
      'From: ',
      'DKIM-Signature: v=1; ',
      '\r\n',
      '\n',
      ' ',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 40 }), async (parts) => {
      const one = await examine('x', Buffer.from(parts.join('')), examineOptions(US));
      JSON.stringify(reportJson(one));
      htmlArticle(one);
    }),
    { numRuns: 100 },
  );
});
