/** The search index: it never hides a message that a scan finds, and spares most of the others. */

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';
import { array, assert as check, constantFrom, nat, property, string } from 'fast-check';
import type { MailboxId, Uid } from '#base/brand.ts';
import { concat, utf8 } from '#base/bytes.ts';
import { messageFacts } from '#message/facts.ts';
import { readStructure } from '#message/scanner.ts';
import { eachSearchText, foldText } from '#message/search-text.ts';
import type { Content } from '#store/content.ts';
import type { AppendedMessage } from '#store/operations.ts';
import type { UidRanges } from '#store/mail.ts';
import { addAccount, factsOf, mailboxOf, messageOf, openTestStore } from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';
import { searchBlock, encodeBlock } from './block.ts';
import { BLOCK_MESSAGES } from './indexer.ts';
import { SignatureMaker, TRIGRAM, TRIGRAMS, mayHold, needleOf } from './signature.ts';

const LAST = 0xffff_ffff;

/** A message of many kinds: encodings, charsets, an inner message, a large attachment. */
function letter(number: number): string {
  const word = `w\u00f6rd${number} kiwi${number % 7}`;
  const coded = Buffer.from(`${word} hidden${number} in base64`, 'utf8').toString('base64');
  const kinds = [
    `Content-Type: text/plain; charset=utf-8\r\n\r\n${word} plain${number}\r\nsecond  line\r\n`,
    `Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${coded}\r\n`,
    'Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: ' +
      `quoted-printable\r\n\r\nstra=DFe${number} and =\r\njoined${number}\r\n`,
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst${number}\r\n--b\r\n` +
      `Content-Type: message/rfc822\r\n\r\nSubject: inner${number}\r\n\r\ndeep${number}\r\n--b--\r\n`,
    `Content-Type: text/plain\r\n\r\n${'filler text\r\n'.repeat(200)}spooled${number}\r\n`,
  ];
  return (
    `From: "O\\"Neil, P." <p${number}@a.test>\r\nSubject: =?utf-8?q?gr=C3=BC?= ${number}\r\n` +
    `To: first${number}@to.test\r\nX-Mark: mark${number}\r\nTo: second@to.test\r\n${kinds[number % kinds.length]}`
  );
}

function messageFrom(text: string): AppendedMessage {
  const octets = utf8(text);
  const cut = text.indexOf('\r\n\r\n') + 4;
  const head = utf8(text.slice(0, cut));
  const content: Content = { head, body: octets.subarray(head.length) };
  const { root } = readStructure([octets]);
  const facts = { ...factsOf(), ...messageFacts(head, root) };
  return messageOf({ content, facts });
}

/** Folded, what a scan of the message looks at. */
function textsOf({ content, facts }: AppendedMessage): string[] {
  const octets = concat([content.head, content.body as Uint8Array]);
  const texts = [facts.subject, facts.from, facts.to, facts.cc, facts.bcc].map(foldText);
  const read = (from: number, lengthBytes: number): Uint8Array =>
    octets.subarray(from, from + lengthBytes);
  const { root } = readStructure([octets]);
  eachSearchText(root, { heads: true, overlap: 100 }, read, (text) => texts.push(text));
  return texts;
}

async function index(it: TestStore): Promise<void> {
  // Each commit lets the writer index one block.
  for (let turn = 0; turn < 8; turn += 1) await it.do('ledger', { entries: [] });
}

const holds = (ranges: UidRanges, uid: number): boolean =>
  ranges.some(([from, to]) => from <= uid && uid <= to);

function uidsIn(ranges: UidRanges, count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1).filter((uid) => holds(ranges, uid));
}

async function stored(
  it: TestStore,
  count: number,
): Promise<{ id: MailboxId; messages: AppendedMessage[] }> {
  const { id } = await mailboxOf(it, await addAccount(it));
  const messages = Array.from({ length: count }, (_, at) => messageFrom(letter(at + 1)));
  await it.do('append', { mailbox: id, messages });
  await index(it);
  return { id, messages };
}

test('whatever a scan finds is among the candidates, and few others are', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 1_000 } });
  const { id, messages } = await stored(it, 3 * BLOCK_MESSAGES + 10);
  const texts = messages.map(textsOf);
  const needles = ['plain1', 'hidden6', 'stra\u00dfe12', 'joined7', 'inner8', 'deep13', 'spooled4'];
  needles.push(
    'KIWI3',
    'gr\u00fc 17',
    'mark150',
    '"neil, p.',
    'o"neil',
    'second line',
    'in base64',
  );
  needles.push('x-mark: mark9', 'nowhere at all', 'filler text', 'f\u00fcr', 'ab', 'w\u00d6RD101');
  // What stands in two fields is one text to SEARCH TO, and in no field.
  needles.push(messages[0]!.facts.to);
  let candidates = 0;
  for (const asked of needles) {
    const text = foldText(asked);
    const ranges = await it.store.mail.mayHold(id, text);
    for (const [at, all] of texts.entries()) {
      if (all.some((one) => one.includes(text))) assert.ok(holds(ranges, at + 1), `${text} ${at}`);
    }
    if (text === 'nowhere at all') candidates = uidsIn(ranges, 3 * BLOCK_MESSAGES).length;
  }
  assert.equal(candidates, 0);
  const [last] = (await it.store.mail.mayHold(id, 'hidden6')).slice(-1);
  assert.deepEqual(last, [3 * BLOCK_MESSAGES + 1, LAST], 'what is not indexed is looked at');
  assert.deepEqual(await it.store.mail.mayHold(id, 'ab'), [[1, LAST]], 'too short for the index');
});

test('any part of any text is found by the signature', () => {
  const maker = new SignatureMaker();
  const text = string({ unit: 'binary', maxLength: 400 });
  check(
    property(array(text, { maxLength: 5 }), nat(), nat(40), (texts, at, length) => {
      const folded = texts.map(foldText);
      for (const one of folded) maker.add(one);
      const signature = maker.finish()!;
      const source = folded[at % Math.max(1, folded.length)] ?? '';
      const needle = needleOf(source.slice(at % (source.length + 1)).slice(0, length));
      return needle === undefined || mayHold(needle, signature, 0, signature.length);
    }),
  );
});

/** By the book: a bit for each trigram, eight for each different one. */
function bitsOf(text: string): number[] {
  const hashes = new Set<number>();
  for (let at = TRIGRAM; at <= text.length; at += 1) {
    for (const hash of needleOf(text.slice(at - TRIGRAM, at)) ?? []) hashes.add(hash);
  }
  const bits = new Uint8Array(Math.max(16, hashes.size));
  for (const hash of hashes) {
    const place = hash % (bits.length * 8);
    bits[place >>> 3]! |= 1 << (place & 7);
  }
  return [...bits];
}

test('a signature has the bits of all trigrams and no other, whatever came before', () => {
  const maker = new SignatureMaker();
  const mixed = array(string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 20 });
  check(
    property(mixed, nat(3), (words, repeat) => {
      const text = words.join(' ').repeat(repeat + 1);
      maker.add(text);
      assert.deepEqual([...maker.finish()!], bitsOf(text));
    }),
  );
  // More trigrams of ASCII than are forgotten one by one.
  let many = '';
  for (let at = 0, seed = 7; at < 30_000; at += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    many += String.fromCharCode(32 + ((seed >>> 16) % 89));
  }
  maker.add(many);
  assert.deepEqual([...maker.finish()!], bitsOf(many));
  maker.add('somewhere else');
  assert.deepEqual([...maker.finish()!], bitsOf('somewhere else'));
});

test('white space is folded to one blank, wherever it stands', () => {
  const blanks = array(constantFrom('a', 'B', ' ', '\t', '\r\n', '\n', '\u00df', '\u00a0'));
  check(
    property(blanks, (pieces) => {
      const text = pieces.join('');
      const plain = text
        .normalize('NFKC')
        .toLowerCase()
        .replace(/[ \t\r\n]+/g, ' ');
      assert.equal(foldText(text), plain);
    }),
  );
});

test('a signature is forgotten with its message, and too much text has none', () => {
  const maker = new SignatureMaker();
  const needle = needleOf('zanzibar')!;
  maker.add('to zanzibar and back');
  const first = maker.finish()!;
  assert.ok(mayHold(needle, first, 0, first.length));
  maker.add('somewhere else');
  const second = maker.finish()!;
  assert.ok(!mayHold(needle, second, 0, second.length));
  let text = '';
  for (let at = 0; at < 2 * TRIGRAMS; at += 1) text += String.fromCharCode((at * 7919) & 0xffff);
  maker.add(text);
  assert.equal(maker.finish(), undefined);
  maker.add('somewhere else');
  assert.deepEqual(maker.finish(), second);
});

test('a damaged block excludes nothing', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 1_000 } });
  const { id } = await stored(it, 2 * BLOCK_MESSAGES);
  const all = 2 * BLOCK_MESSAGES;
  assert.equal(uidsIn(await it.store.mail.mayHold(id, 'nowhere at all'), all).length, 0);
  const database = new DatabaseSync(join(it.directory, 'postern.db'));
  database.exec(`UPDATE search_blocks SET bytes = zeroblob(length(bytes)) WHERE first_uid = 1`);
  database.close();
  const left = uidsIn(await it.store.mail.mayHold(id, 'nowhere at all'), all);
  assert.deepEqual(
    left,
    Array.from({ length: BLOCK_MESSAGES }, (_, at) => at + 1),
  );
  const { bytes, checked } = encodeBlock([{ uid: 7, signature: new Uint8Array(16) }]);
  const excluded: number[] = [];
  const needle = needleOf('abc')!;
  assert.ok(searchBlock({ bytes, checked }, needle, (uid) => excluded.push(uid)));
  assert.deepEqual(excluded, [7]);
  for (let at = 0; at < bytes.length; at += 1) {
    const rotten = Uint8Array.from(bytes, (octet, index) => octet ^ (index === at ? 1 : 0));
    assert.ok(!searchBlock({ bytes: rotten, checked }, needle, () => assert.fail('excluded')));
  }
});

test('copies are indexed where they lie; a removed mailbox takes its blocks along', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 1_000 } });
  const { id } = await stored(it, BLOCK_MESSAGES);
  const account = it.store.directory.account('alice@demo.test')!.id;
  const archive = await mailboxOf(it, account, 'Archive');
  const { nowMs } = it.clock;
  await it.do('copy', { from: id, uids: [[1, LAST]], to: archive.id, move: true, nowMs });
  const moved = (): Promise<UidRanges> =>
    Promise.resolve(it.store.mail.mayHold(archive.id, 'hidden6'));
  await index(it);
  const found = uidsIn(await moved(), BLOCK_MESSAGES);
  assert.ok(found.includes(6) && found.length < 10, String(found));
  await it.do('append', { mailbox: id, messages: [messageFrom(letter(6))] });
  assert.ok(holds(await it.store.mail.mayHold(id, 'hidden6'), BLOCK_MESSAGES + 1));
  await it.do('deleteMailbox', { mailbox: archive.id, nowMs });
  assert.deepEqual(it.row('SELECT count(*) FROM search_blocks WHERE last_uid = 64'), [1]);
});

test('blocks of messages that are long gone go too', async (t) => {
  const it = await openTestStore(t, { limits: { inlineBytes: 1_000 } });
  const { id } = await stored(it, 2 * BLOCK_MESSAGES);
  const gone: UidRanges = [[1, BLOCK_MESSAGES + 1]];
  await it.do('expunge', { mailbox: id, uids: gone, onlyDeleted: false, nowMs: it.clock.nowMs });
  it.clock.nowMs += 31 * 86_400_000;
  await it.do('sweep', { nowMs: it.clock.nowMs, ledgerDays: 1 });
  assert.deepEqual(it.row('SELECT first_uid, last_uid FROM search_blocks'), [65, 128]);
  const ranges = await it.store.mail.mayHold(id, 'nowhere at all');
  assert.equal(holds(ranges, (BLOCK_MESSAGES + 2) as Uid), false);
});

test('the writer thread indexes what has come to rest', async (t) => {
  // The store asks every few milliseconds whether other processes wrote: that is no unrest.
  const it = await openTestStore(t, {
    thread: true,
    foreignCheckMs: 20,
    limits: { inlineBytes: 1_000 },
  });
  const count = BLOCK_MESSAGES * 6;
  const { id } = await stored(it, count);
  for (let tries = 0; tries < 100; tries += 1) {
    if (uidsIn(await it.store.mail.mayHold(id, 'nowhere'), count).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail('not indexed within two seconds');
});
