/** FETCH: every item, every section, partials, \Seen, and messages that cannot be read. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '#base/failure.ts';
import { Client, play } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';

const SIMPLE =
  'From: Ann <ann@a.test>\nTo: bob@b.test\nSubject: hi\nDate: Mon, 7 Feb 1994 21:52:25 -0800\n\nline one\nline two\n';
const NESTED = `From: ann@a.test
Subject: outer
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=o

preamble
--o
Content-Type: text/plain

first
--o
Content-Type: message/rfc822
Content-Description: the letter

Subject: inner
To: carl@c.test
Content-Type: multipart/alternative; boundary=i

--i
Content-Type: text/plain

plain
--i
Content-Type: text/html

<p>html
--i--

--o
Content-Type: message/rfc822

Subject: single

only
--o--
`;

async function reader(...texts: string[]): Promise<Client> {
  const mail = new MemoryMail();
  for (const text of texts) mail.deliver('INBOX', text, ['\\Seen']);
  return Client.selected(mail);
}

/** The octets of one section. */
async function section(client: Client, item: string): Promise<string> {
  const said = await client.run(`x FETCH 1 ${item}`);
  const found =
    /^\* 1 FETCH \(([^ ]*(?: \([^)]*\))?\](?:<\d+>)?|[A-Z0-9.]+) (?:\{(\d+)\}\r\n|(NIL))/.exec(
      said,
    );
  assert.ok(found, said);
  if (found[3] === 'NIL') return 'NIL';
  const start = found[0].length;
  const end = start + Number(found[2]);
  assert.equal(said.slice(end), ')\r\nx OK FETCH completed\r\n');
  return said.slice(start, end);
}

test('attributes and macros', async () => {
  await play(
    await reader(SIMPLE),
    `C: a FETCH 1 FAST
     S: * 1 FETCH (FLAGS (\\Seen) INTERNALDATE "22-Nov-2026 05:04:03 +0000" RFC822.SIZE 113)
     S: a OK FETCH completed
     C: b FETCH 1 ALL
     S: * 1 FETCH (FLAGS (\\Seen) INTERNALDATE "22-Nov-2026 05:04:03 +0000" RFC822.SIZE 113 ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "hi" (("Ann" NIL "ann" "a.test")) (("Ann" NIL "ann" "a.test")) (("Ann" NIL "ann" "a.test")) ((NIL NIL "bob" "b.test")) NIL NIL NIL NIL))
     S: b OK FETCH completed
     C: c FETCH 1 (UID BODY BODYSTRUCTURE UID)
     S: * 1 FETCH (UID 1 BODY ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 20 2) BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 20 2 NIL NIL NIL NIL))
     S: c OK FETCH completed
     C: d FETCH 1 (FAST)
     S: d BAD There is no such data item
     C: e FETCH 1 ()
     S: e BAD The list is empty
     C: f UID FETCH 1 (FLAGS)
     S: * 1 FETCH (UID 1 FLAGS (\\Seen))
     S: f OK UID FETCH completed
     C: g UID FETCH 7 FLAGS
     S: g OK UID FETCH completed
     C: h FETCH 2 FLAGS
     S: h BAD There is no message with that number
     C: i FETCH 1:9 UID
     S: * 1 FETCH (UID 1)
     S: i OK FETCH completed`,
  );
});

const sections: readonly (readonly [item: string, octets: string])[] = [
  ['BODY[1]', 'first'],
  ['BODY[1.MIME]', 'Content-Type: text/plain\r\n\r\n'],
  ['BODY[2.MIME]', 'Content-Type: message/rfc822\r\nContent-Description: the letter\r\n\r\n'],
  [
    'BODY[2.HEADER]',
    'Subject: inner\r\nTo: carl@c.test\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n',
  ],
  ['BODY[2.HEADER.FIELDS (SUBJECT)]', 'Subject: inner\r\n\r\n'],
  ['BODY[2.1]', 'plain'],
  ['BODY[2.2]', '<p>html'],
  ['BODY[2.2.MIME]', 'Content-Type: text/html\r\n\r\n'],
  ['BODY[3]', 'Subject: single\r\n\r\nonly'],
  ['BODY[3.1]', 'only'],
  ['BODY[3.TEXT]', 'only'],
  ['BODY[3.1.MIME]', 'Subject: single\r\n\r\n'],
  ['BODY[4]', 'NIL'],
  ['BODY[1.1]', 'NIL'],
  ['BODY[1.HEADER]', 'NIL'],
  ['BODY[2.3]', 'NIL'],
  ['BODY[2.1.1.1.1.1]', 'NIL'],
  ['BODY[HEADER.FIELDS (subject FROM missing)]', 'From: ann@a.test\r\nSubject: outer\r\n\r\n'],
  ['BODY[HEADER.FIELDS.NOT (subject from Content-Type)]', 'MIME-Version: 1.0\r\n\r\n'],
  ['BODY[HEADER.FIELDS (missing)]', '\r\n'],
  ['BODY[]<5.4>', ' ann'],
  ['BODY[]<100000.10>', ''],
  ['BODY[1]<3.4294967295>', 'st'],
  ['BODY[HEADER.FIELDS (subject)]<9.5>', 'outer'],
  ['BODY.PEEK[TEXT]<0.8>', 'preamble'],
  ['RFC822.HEADER', `${NESTED.slice(0, NESTED.indexOf('preamble')).replaceAll('\n', '\r\n')}`],
  ['RFC822', NESTED.replaceAll('\n', '\r\n')],
  ['RFC822.TEXT', NESTED.slice(NESTED.indexOf('preamble')).replaceAll('\n', '\r\n')],
];

test('sections, nested messages included', async () => {
  const client = await reader(NESTED);
  for (const [item, octets] of sections) assert.equal(await section(client, item), octets, item);
  const whole = await section(client, 'BODY[2]');
  assert.ok(whole.startsWith('Subject: inner') && whole.includes('--i--'), whole);
});

test('part 1 of a message that is no multipart is its body', async () => {
  const client = await reader(SIMPLE);
  assert.equal(await section(client, 'BODY[1]'), 'line one\r\nline two\r\n');
  assert.equal(await section(client, 'BODY[TEXT]'), 'line one\r\nline two\r\n');
  assert.equal(await section(client, 'BODY[1.1]'), 'NIL');
});

test('labels are echoed safely', async () => {
  const client = await reader(SIMPLE);
  const said = await client.run('a FETCH 1 BODY.PEEK[HEADER.FIELDS ("a b" {3+}', 'x"y From)]<0.5>');
  assert.match(
    said,
    /^\* 1 FETCH \(BODY\[HEADER\.FIELDS \("a b" "x\\"y" From\)\]<0> \{5\}\r\nFrom:\)/,
  );
});

const malformed = [
  'BODY[',
  'BODY[1.]',
  'BODY[.1]',
  'BODY[0]',
  'BODY[MIME]',
  'BODY[HEADER.FIELDS]',
  'BODY[HEADER.FIELDS ()]',
  'BODY[1.FOO]',
  'BODY[]<0.0>',
  'BODY[]<-1.5>',
  'BODY[]<1>',
  'BODY[]<4294967296.1>',
  `BODY[${'1.'.repeat(1000)}1]`,
  'BODYSTRUCTURE[1]',
  'BODY[1]FLAGS',
  'BINARY[]',
  '(FLAGS UID',
  '(FLAGS  UID)',
];

test('malformed items are BAD, and the next command is read', async () => {
  const client = await reader(SIMPLE);
  client.machine.receive(new Uint8Array(0));
  for (const item of malformed) {
    const fresh = await reader(SIMPLE);
    assert.match(await fresh.run(`a FETCH 1 ${item}`, 'b NOOP'), /^a BAD .*\r\nb OK NOOP/, item);
  }
});

test('BODY[] sets \\Seen and shows it; PEEK and EXAMINE do not', async () => {
  const mail = new MemoryMail();
  for (let at = 0; at < 3; at++) mail.deliver('INBOX', SIMPLE);
  const client = await Client.selected(mail);
  await client.run('a FETCH 1 BODY.PEEK[]', 'b FETCH 1 RFC822.HEADER');
  assert.deepEqual(mail.box('INBOX').messages[0]?.flags, []);
  const said = await client.run('c FETCH 1:2 BODY[TEXT]<0.4>');
  assert.equal(
    said,
    '* 1 FETCH (FLAGS (\\Seen) BODY[TEXT]<0> {4}\r\nline)\r\n' +
      '* 2 FETCH (FLAGS (\\Seen) BODY[TEXT]<0> {4}\r\nline)\r\nc OK FETCH completed\r\n',
  );
  assert.equal(
    await client.run('d FETCH 3 (FLAGS RFC822.TEXT)'),
    '* 3 FETCH (FLAGS (\\Seen) RFC822.TEXT {20}\r\nline one\r\nline two\r\n)\r\nd OK FETCH completed\r\n',
  );
  mail.deliver('INBOX', SIMPLE);
  await client.run('e EXAMINE INBOX', 'f FETCH 4 BODY[]');
  assert.deepEqual(mail.box('INBOX').messages[3]?.flags, []);
});

test('a full disk keeps nobody from reading', async () => {
  const mail = new MemoryMail();
  mail.deliver('INBOX', SIMPLE);
  const client = await Client.selected(mail);
  client.access.beforeWrite = async () => {
    throw Failure.temporary('disk-full', 'no room');
  };
  assert.equal(
    await client.run('a FETCH 1 BODY[TEXT]<0.4>'),
    '* 1 FETCH (BODY[TEXT]<0> {4}\r\nline)\r\na OK FETCH completed\r\n',
  );
  assert.match(
    await client.run('b STORE 1 +FLAGS (\\Seen)', 'c NOOP'),
    /^b NO \[UNAVAILABLE\] .*\r\nc OK/,
  );
});

test('large messages go out in slices, each taken before the next is read', async () => {
  const mail = new MemoryMail();
  mail.deliver('INBOX', `A: b\n\n${'x'.repeat(1000)}`);
  const client = await Client.selected(mail, { sliceBytes: 100 });
  const before = client.flushes;
  const said = await client.run('a FETCH 1 BODY.PEEK[]');
  assert.equal(said.length, '* 1 FETCH (BODY[] {1008}\r\n'.length + 1008 + 3 + 22);
  assert.ok(client.flushes - before >= 10);
  assert.ok(client.deadlines.includes(307_000), 'a client that does not read is not kept');
});

test('a damaged message is skipped, the others are sent, then NO', async () => {
  const client = await reader(SIMPLE, SIMPLE, SIMPLE);
  client.access.beforeOctets = (message) => {
    if (message.uid === 2) throw Failure.permanent('content-damaged', 'bit rot');
  };
  const said = await client.run('a FETCH 1:3 BODY.PEEK[TEXT]<0.4>', 'b NOOP');
  assert.match(said, /^\* 1 FETCH .*\r\nline\)\r\n\* 3 FETCH .*\r\nline\)\r\na NO \[CORRUPTION\]/);
  assert.match(said, /\r\nb OK NOOP completed\r\n$/);
});

test('a tree of parts that is damaged is shown as an unknown body', async () => {
  const mail = new MemoryMail();
  mail.deliver('INBOX', SIMPLE);
  const [message] = mail.box('INBOX').messages;
  mail.box('INBOX').messages = [{ ...message!, parts: '{"not": "ours"}' }];
  const client = await Client.selected(mail);
  assert.match(
    await client.run('a FETCH 1 BODY'),
    /BODY \("text" "plain" NIL NIL NIL "7bit" 0 0\)/,
  );
  assert.match(
    await client.run('b FETCH 1 BODY.PEEK[1]', 'c NOOP'),
    /^b NO \[CORRUPTION\].*\r\nc OK/,
  );
});

test('a store that fails inside a literal ends the connection without a word', async () => {
  const mail = new MemoryMail();
  mail.deliver('INBOX', `A: b\n\n${'x'.repeat(1000)}`);
  const client = await Client.selected(mail, { sliceBytes: 100 });
  client.access.beforeOctets = (_, from) => {
    if (from >= 500) throw Failure.temporary('io', 'gone');
  };
  const said = await client.run('a FETCH 1 BODY.PEEK[]', 'b NOOP');
  assert.ok(client.closed);
  assert.ok(said.endsWith('xxx'), said.slice(-20));
});

test('raw 8-bit subjects and hostile parameters reach the client 7-bit and quoted', async () => {
  const client = await reader(
    'Subject: gr\u00fcn\nFrom: "a\\"b" <x@y>\nContent-Type: text/plain; name="a\\"b\u00fc"\n\nx',
  );
  const said = await client.run('a FETCH 1 (ENVELOPE BODYSTRUCTURE)');
  assert.doesNotMatch(said, /[\x80-\xff]/);
  assert.match(said, /"=\?utf-8\?B\?Z3LDvG4=\?=" \(\("a\\"b" NIL "x" "y"\)\)/);
});

test('heads that come with the row and heads that are read by themselves say the same', async () => {
  const items = [
    'BODY.PEEK[HEADER]',
    'RFC822.HEADER',
    'BODY.PEEK[HEADER]<3.9>',
    'BODY.PEEK[HEADER.FIELDS (SUBJECT To x)]',
    'BODY.PEEK[HEADER.FIELDS (subject)]<2.5>',
    'BODY.PEEK[HEADER.FIELDS.NOT (Subject)]<0.4000>',
    'BODY.PEEK[HEADER.FIELDS (nothing)]',
    '(FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (To)])',
    '(BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (To)])',
  ];
  const answers = await Promise.all(
    [true, false].map(async (knowsHeads) => {
      const client = await reader(SIMPLE, NESTED, 'no header', '');
      client.access.knowsHeads = knowsHeads;
      let said = '';
      for (const item of items) said += await client.run(`a FETCH 1:* ${item}`);
      return said;
    }),
  );
  assert.equal(answers[0], answers[1]);
  assert.equal(answers[0]?.match(/FETCH \(/g)?.length, 4 * items.length);
});

test('messages that are read together and those read by themselves say the same', async () => {
  const items = [
    'BODY.PEEK[]',
    'BODY.PEEK[]<3.90>',
    'BODY.PEEK[]<5000.9>',
    '(FLAGS RFC822.SIZE BODY.PEEK[TEXT])',
    'BODY.PEEK[1]',
    'BODY.PEEK[2.MIME]',
    'BODY.PEEK[2.HEADER.FIELDS (subject)]',
    '(BODY.PEEK[HEADER.FIELDS.NOT (To)] BODY.PEEK[TEXT]<0.7>)',
    'BODY[]',
    'RFC822',
  ];
  const long = `Subject: long\n\n${'x'.repeat(3_000)}`;
  const texts = [SIMPLE, NESTED, long, 'no header', '', ...Array<string>(60).fill(SIMPLE)];
  const answers = await Promise.all(
    [true, false].map(async (knowsWholes) => {
      const mail = new MemoryMail();
      for (const text of texts) mail.deliver('INBOX', text);
      const client = await Client.selected(mail, { sliceBytes: 1_500 });
      client.access.knowsWholes = knowsWholes;
      let said = '';
      for (const item of items) said += await client.run(`a FETCH 1:* ${item}`);
      return { said, most: client.access.mostTogether };
    }),
  );
  const [together, apart] = answers;
  assert.equal(together?.said, apart?.said);
  assert.equal(together?.said.match(/FETCH \(/g)?.length, texts.length * items.length);
  const most = together?.most ?? 0;
  assert.ok(most > 1_500 && most <= 3_000, `two slices of octets at once at most: ${most}`);
});
