/** SEARCH: every key, charsets, nesting, ESEARCH, and hostile searches. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '#base/failure.ts';
import { Client, play } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';
import { cpuTimer } from '#test/world/cpu.ts';

function mailbox(): MemoryMail {
  const mail = new MemoryMail();
  const box = mail.box('INBOX');
  const put = (text: string, flags: readonly string[], date: number): void => {
    const octets = Buffer.from(text.replaceAll('\n', '\r\n'), 'utf8');
    mail.add(box, octets, flags, date);
  };
  put(
    'From: Ann <ann@a.test>\nTo: bob@b.test\nSubject: Hello World\n' +
      'Date: Tue, 1 Mar 2022 23:30:00 -0800\nX-Tag: one\n\nthe quick fox\n',
    ['\\Seen', '$Junk'],
    Date.UTC(2022, 2, 2, 7, 30),
  );
  put(
    'From: carl@c.test\nCc: bob@b.test\nBcc: dora@d.test\n' +
      'Subject: =?utf-8?B?R3LDvG4=?= day\nDate: Wed, 2 Mar 2022 00:30:00 +0000\n' +
      'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n' +
      `${Buffer.from('Stra\u00dfe und \u00c4pfel', 'utf8').toString('base64')}\n`,
    ['\\Answered', '\\Flagged'],
    Date.UTC(2022, 2, 3, 12, 0),
  );
  put(
    'From: eve@e.test\nSubject: empty\nX-Tag:\n' +
      `Content-Type: text/plain\n\n${'long '.repeat(200)}\n`,
    ['\\Draft', '\\Deleted'],
    Date.UTC(2023, 0, 1, 0, 0),
  );
  return mail;
}

const keys: readonly (readonly [key: string, found: string])[] = [
  ['ALL', ' 1 2 3'],
  ['SEEN', ' 1'],
  ['UNSEEN', ' 2 3'],
  ['ANSWERED', ' 2'],
  ['UNANSWERED', ' 1 3'],
  ['FLAGGED', ' 2'],
  ['UNFLAGGED', ' 1 3'],
  ['DRAFT', ' 3'],
  ['UNDRAFT', ' 1 2'],
  ['DELETED', ' 3'],
  ['UNDELETED', ' 1 2'],
  ['NEW', ''],
  ['OLD', ' 1 2 3'],
  ['RECENT', ''],
  ['KEYWORD $junk', ' 1'],
  ['UNKEYWORD $Junk', ' 2 3'],
  ['FROM ANN', ' 1'],
  ['FROM "a.test"', ' 1'],
  ['TO bob', ' 1'],
  ['CC bob', ' 2'],
  ['BCC dora', ' 2'],
  ['SUBJECT "hello world"', ' 1'],
  ['SUBJECT day', ' 2'],
  ['BODY fox', ' 1'],
  ['BODY hello', ''],
  ['TEXT hello', ' 1'],
  ['TEXT ""', ' 1 2 3'],
  ['HEADER X-Tag ""', ' 1 3'],
  ['HEADER x-tag ONE', ' 1'],
  ['HEADER "" ""', ''],
  ['HEADER Subject green', ''],
  ['LARGER 900', ' 3'],
  ['SMALLER 900', ' 1 2'],
  ['BEFORE 3-Mar-2022', ' 1'],
  ['ON 3-Mar-2022', ' 2'],
  ['SINCE 3-Mar-2022', ' 2 3'],
  ['SENTBEFORE 2-Mar-2022', ' 1'],
  ['SENTON 1-Mar-2022', ' 1'],
  ['SENTON 2-Mar-2022', ' 2'],
  ['SENTSINCE 1-Mar-2022', ' 1 2'],
  ['1', ' 1'],
  ['2:*', ' 2 3'],
  ['*', ' 3'],
  ['*:1', ' 1 2 3'],
  ['*:*', ' 3'],
  ['UID 2', ' 2'],
  ['UID 3:99', ' 3'],
  ['UID 99:*', ' 3'],
  ['UID 99', ''],
  ['NOT SEEN', ' 2 3'],
  ['NOT NOT SEEN', ' 1'],
  ['OR SEEN DRAFT', ' 1 3'],
  ['OR BODY fox FLAGGED', ' 1 2'],
  ['OR (FROM ann SEEN) (BODY nothing)', ' 1'],
  ['NOT BODY fox', ' 2 3'],
  ['SEEN BODY fox', ' 1'],
  ['(SEEN FLAGGED)', ''],
  ['1:2 SEEN', ' 1'],
  ['SUBJECT "hello" NOT (OR DRAFT DELETED)', ' 1'],
];

test('every key', async () => {
  const client = await Client.selected(mailbox());
  for (const [key, found] of keys) {
    assert.equal(
      await client.run(`a SEARCH ${key}`),
      `* SEARCH${found}\r\na OK SEARCH completed\r\n`,
      key,
    );
  }
});

test('charsets: UTF-8 literals, without CHARSET too; others get BADCHARSET', async () => {
  const client = await Client.selected(mailbox());
  const search = async (text: string): Promise<string> => {
    await client.send(`${text}\r\n`);
    return client.read();
  };
  const found = '* SEARCH 2\r\na OK SEARCH completed\r\n';
  assert.equal(await search('a SEARCH CHARSET UTF-8 SUBJECT {6+}\r\ngr\u00fcn '), found);
  assert.equal(await search('a SEARCH SUBJECT {5+}\r\nGR\u00dcN'), found);
  assert.equal(await search('a SEARCH CHARSET "utf-8" BODY "\u00e4pfel"'), found);
  assert.equal(await search('a SEARCH BODY {4+}\r\nstra'), found);
  assert.equal(
    await search('a SEARCH CHARSET KOI8-R SUBJECT x'),
    'a NO [BADCHARSET (US-ASCII UTF-8)] This charset is not known here\r\n',
  );
  await client.send(Buffer.from('a SEARCH SUBJECT {1+}\r\n\xfc\r\n', 'latin1'));
  assert.match(client.read(), /^a BAD /);
});

test('UID SEARCH and ESEARCH', async () => {
  const mail = mailbox();
  mail.expunge(mail.box('INBOX'), [[1, 1]], false);
  await play(
    await Client.selected(mail),
    `C: a UID SEARCH ALL
     S: * SEARCH 2 3
     S: a OK UID SEARCH completed
     C: b SEARCH RETURN () ALL
     S: * ESEARCH (TAG "b") ALL 1:2
     S: b OK SEARCH completed
     C: c UID SEARCH RETURN (MIN MAX COUNT ALL) ALL
     S: * ESEARCH (TAG "c") UID MIN 2 MAX 3 ALL 2:3 COUNT 2
     S: c OK UID SEARCH completed
     C: d SEARCH RETURN (MIN MAX COUNT ALL) NEW
     S: * ESEARCH (TAG "d") COUNT 0
     S: d OK SEARCH completed
     C: e SEARCH RETURN (COUNT) CHARSET UTF-8 DRAFT
     S: * ESEARCH (TAG "e") COUNT 1
     S: e OK SEARCH completed
     C: f SEARCH RETURN (SAVE) ALL
     S: f BAD No such return option`,
  );
});

const refused = [
  `${'NOT '.repeat(10_000)}ALL`,
  `${'OR '.repeat(10_000)}ALL ALL`,
  '('.repeat(60_000),
  `${'('.repeat(60)}ALL${')'.repeat(60)}`,
  Array.from({ length: 2_000 }, () => 'ALL').join(' '),
  'OLDER 0',
  'SINCE 31-Feb-9999',
  'SINCE 0-Jan-2000',
  'SINCE yesterday',
  'HEADER x',
  'KEYWORD \\Seen',
  'LARGER -1',
  'LARGER 4294967296',
  '0',
  '4294967296',
  '1:4294967296',
  '1,',
  ':',
  'UID',
  'NOT',
  'OR ALL',
  '()',
  '(ALL',
  'ALL)',
  'FOO',
  '99',
];

test('hostile and malformed searches are BAD, quickly, and the session goes on', async () => {
  for (const key of refused) {
    const client = await Client.selected(mailbox());
    const spent = cpuTimer();
    assert.match(
      await client.run(`a SEARCH ${key}`, 'b NOOP'),
      /^a BAD [^\r]*\r\nb OK NOOP/,
      key.slice(0, 40),
    );
    assert.ok(spent() < 1_000, key.slice(0, 40));
  }
});

test('a damaged message matches nothing; a store that fails is UNAVAILABLE', async () => {
  const client = await Client.selected(mailbox());
  client.access.beforeOctets = (message) => {
    if (message.uid === 2) throw Failure.permanent('content-damaged', 'bit rot');
  };
  assert.match(await client.run('a SEARCH OR BODY fox BODY long'), /^\* SEARCH 1 3\r\n/);
  client.access.beforeOctets = () => {
    throw Failure.temporary('io', 'not now');
  };
  assert.match(await client.run('b SEARCH BODY fox', 'c NOOP'), /^b NO \[UNAVAILABLE\] .*\r\nc OK/);
});

test('a text across the border of two windows is found', async () => {
  const mail = new MemoryMail();
  const line = `${'y'.repeat(76)}\r\n`;
  const body = `${line.repeat(3_360)}needle${line}${line.repeat(3_000)}`;
  mail.deliver('INBOX', `Subject: big\n\n${body}`);
  const client = await Client.selected(mail);
  assert.match(await client.run('a SEARCH BODY needle'), /^\* SEARCH 1\r\n/);
  // The line end before it is a blank, and the border of the windows.
  assert.match(await client.run('b SEARCH BODY "yy needle"'), /^\* SEARCH 1\r\n/);
});

test('octets are read only where the index says that a text can be', async () => {
  const mail = new MemoryMail();
  const box = mail.box('INBOX');
  for (let number = 1; number <= 100; number += 1) {
    const octets = `Subject: s${number % 10}\r\nX-Tag: t${number}\r\n\r\nbody${number}\r\n`;
    mail.add(box, Buffer.from(octets), number % 2 === 0 ? ['\\Seen'] : [], 0);
  }
  const client = await Client.selected(mail);
  let reads = 0;
  client.access.beforeOctets = () => void (reads += 1);
  const asked: string[] = [];
  const places = new Map([
    ['body42', [[40, 43]]],
    ['body77', [[77, 78]]],
    ['t9', [[1, 100]]],
  ] as const);
  client.access.mayHold = (_id?: unknown, text?: string) => {
    asked.push(text ?? '');
    return places.get(text as 'body42') ?? [[1, 0xffff_ffff]];
  };
  const found = async (keys: string, expected: string, most: number): Promise<void> => {
    reads = 0;
    assert.equal((await client.run(`a SEARCH ${keys}`)).split('\r\n')[0], `* SEARCH${expected}`);
    assert.ok(reads <= most, `${keys}: ${reads} messages were read`);
  };
  await found('TEXT body42', ' 42', 4);
  await found('SEEN BODY body42', ' 42', 2);
  await found('OR BODY body42 TEXT body77', ' 42 77', 6);
  await found('77:90 NOT BODY body77', ' 78 79 80 81 82 83 84 85 86 87 88 89 90', 2);
  await found('OR (BODY body42 UNSEEN) BODY nobody', '', 102);
  await found('HEADER X-Tag t9 1:50', ' 9', 50);
  assert.deepEqual(asked.slice(0, 2), ['body42', 'body42']);
});
