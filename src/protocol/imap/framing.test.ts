/** Where commands begin and end: literals of any announced size, long lines, any chunking. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Client } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';

const RECOVERS = /^a (?:BAD|NO) [^\r]*\r\nb OK NOOP completed\r\n$/;

/** Sent whole, with `b NOOP` behind it: one refusal, then the next command is read. */
const recoverable: readonly string[] = [
  'a STATUS {4294967296}\r\n',
  'a STATUS {18446744073709551616}\r\n',
  'a STATUS {-1}\r\n',
  'a STATUS {-1+}\r\n',
  'a STATUS {1+\r\n',
  'a STATUS {}\r\n',
  'a STATUS {+}\r\n',
  'a STATUS {1.5}\r\n',
  'a STATUS {0x10}\r\n',
  'a STATUS {1 }\r\n',
  'a STATUS ~{3+}\r\nabc (MESSAGES)\r\n',
  'a STATUS {2000000}\r\n',
  `a STATUS {2000000+}\r\n${'b NOOP\r\n'.repeat(250_000)} (MESSAGES)\r\n`,
  `a STATUS ${'{0+}\r\n '.repeat(1_100)}\r\n`,
  `a ${'{1+}\r\nx '.repeat(2_000)}\r\n`,
  `a STATUS {600000+}\r\n${'x'.repeat(600_000)} {600000+}\r\n${'y'.repeat(600_000)}\r\n`,
  `a STATUS ${'x'.repeat(70_000)} {8+}\r\nb NOOP\r\n\r\n`,
  `a STATUS ${'x'.repeat(70_000)} {8}\r\n`,
  `a STATUS "${'x'.repeat(65_000)} (MESSAGES)\r\n`,
  `a STATUS "${'\\\\'.repeat(32_000)}" (MESSAGES)\r\n`,
  'a STATUS INBOX (MESSAGES\r\n',
  'a STATUS INBOX (MESSAGES))\r\n',
  'a STATUS INBOX ()\r\n',
  'a STATUS  INBOX (MESSAGES)\r\n',
  'a STATUS "INBOX (MESSAGES)\r\n',
  'a STATUS "IN\\BOX" (MESSAGES)\r\n',
  'a STATUS "IN\0BOX" (MESSAGES)\r\n',
  'a STATUS IN\rBOX (MESSAGES)\r\n',
  'a\r\n',
  'a \r\n',
  'a FOO\r\n',
  'a UID\r\n',
  'a UID NOOP\r\n',
  'a NOOP \r\n',
  'a NOOP {3+}\r\nabc\r\n',
  'a {4+}\r\nNOOP\r\n',
  'a FETCH {3+}\r\n1:* FLAGS\r\n',
  'a FETCH 1 ({5+}\r\nFLAGS)\r\n',
  'a STORE 1 {5+}\r\nFLAGS ()\r\n',
  'a LIST "" {2000+}\r\n' + '*'.repeat(2_000) + '\r\n',
  `a FETCH ${'1,2,'.repeat(12_000)}1 FLAGS\r\n`,
  'a FETCH 0 FLAGS\r\n',
  'a FETCH 1:4294967296 FLAGS\r\n',
  'a FETCH 99999999999999999999 FLAGS\r\n',
  'a FETCH 1:2:3 FLAGS\r\n',
  'a FETCH * * FLAGS\r\n',
  'a FETCH -1 FLAGS\r\n',
  'a FETCH 4294967295:1 FLAGS UID\r\n',
];

test('literals and lines that cannot be read: one refusal, and no octet is taken for a command', async () => {
  for (const input of recoverable) {
    const client = await Client.selected(mailbox());
    await client.send(`${input}b NOOP\r\n`);
    assert.match(client.read(), RECOVERS, JSON.stringify(input.slice(0, 60)));
  }
});

test('an empty line and a tag that is none are answered untagged', async () => {
  const client = await Client.selected(mailbox());
  assert.match(await client.run('', '* NOOP', '+ NOOP', 'b NOOP'), /^(?:\* BAD [^\r]*\r\n){3}b OK/);
});

/** Where nothing can be trusted any more the connection ends, said so. */
const fatal: readonly string[] = [
  'a STATUS {9223372036854775808+}\r\n',
  'a STATUS {99999999999999999999999999999999+}\r\n',
  'a APPEND INBOX {4294967296+}\r\nFrom: x\r\n',
  'a NOOP\n',
  'a STATUS {3+}\n',
  '\n',
];

test('absurd non-synchronising literals and bare LF end the connection', async () => {
  for (const input of fatal) {
    const client = await Client.selected(mailbox());
    await client.send(`${input}b NOOP\r\n`);
    assert.match(client.read(), /^\* BYE [^\r]*\r\n$/, JSON.stringify(input));
    assert.ok(client.closed);
  }
});

test('a literal that ends with the connection', async () => {
  const client = await Client.selected(mailbox());
  await client.send('a STATUS {10+}\r\nIN');
  assert.equal(client.read(), '');
  assert.equal(await client.happens('ended'), '');
  assert.ok(client.closed);
});

test('a refused synchronising literal is not waited for', async () => {
  const client = await Client.selected(mailbox());
  assert.equal(
    await client.run('a STATUS {2000000}'),
    'a BAD [TOOBIG] The literal is too large\r\n',
  );
  assert.equal(await client.run('b NOOP'), 'b OK NOOP completed\r\n');
});

test('before the login LITERAL- holds: 4096 octets go, 4097 are swallowed', async () => {
  for (const [size, reply] of [
    [4_096, 'a BAD The login is malformed'],
    [4_097, 'a BAD [TOOBIG]'],
    [9_000, 'a BAD [TOOBIG]'],
  ] as const) {
    const client = new Client(new MemoryMail());
    await client.quiet();
    client.read();
    await client.send(`a LOGIN {${size}+}\r\n${'x'.repeat(size)} x\r\nb NOOP\r\n`);
    const said = client.read();
    assert.ok(said.startsWith(reply), said);
    assert.match(said, /\r\nb OK NOOP completed\r\n$/);
  }
  const client = new Client(new MemoryMail());
  await client.send('a LOGIN {70000+}\r\n');
  assert.ok(client.closed);
});

test('zero-length literals are strings', async () => {
  const client = await Client.selected(mailbox());
  assert.equal(
    await client.run('a LIST {0+}', ' {0+}', ''),
    '* LIST (\\Noselect) "/" ""\r\na OK LIST completed\r\n',
  );
});

test('deadlines: while waiting, while a command is half there', async () => {
  const client = await Client.selected(mailbox());
  assert.equal(client.deadlineMs, 1_877_000);
  await client.send('a STATUS {10}\r\n');
  assert.equal(client.deadlineMs, 187_000);
  assert.match(await client.happens('expired'), /BYE Too long/);
});

test('stop says goodbye', async () => {
  const client = await Client.selected(mailbox());
  await client.run('a IDLE');
  assert.equal(await client.happens('stop'), '* BYE The server is going down\r\n');
  assert.ok(client.closed);
});

const SESSION = [
  'a LOGIN {4+}\r\nuser "pencil"\r\n',
  'b SELECT INBOX\r\n',
  'c FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (Subject)])\r\n',
  'd STORE 1 +FLAGS (\\Seen)\r\nd2 NOOP\r\n',
  'e APPEND INBOX (\\Seen) {24+}\r\nSubject: z\r\n\r\nx\ny\rz\r\n.\r\n',
  'f IDLE\r\nDONE\r\ng SEARCH SUBJECT {5+}\r\nhello\r\n',
  'h BOGUS {3+}\r\nabc more\r\n',
  'i STATUS {2000000+}\r\n',
  `${'x'.repeat(2_000_000)} (MESSAGES)\r\n`,
  `j ${'y'.repeat(70_000)}\r\n`,
  'k UID FETCH 1:* (UID BODY.PEEK[])\r\nl LOGOUT\r\n',
].join('');

test('any chunking gives the same actions', async () => {
  const whole = await playPieces([]);
  assert.match(whole.actions.join('\n'), /l OK LOGOUT completed/);
  const sameAs = (client: Client): void => {
    assert.deepEqual(withoutSlices(client), withoutSlices(whole));
  };
  sameAs(await playPieces(Array.from({ length: 700 }, () => 1)));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 60 }),
      async (sizes) => {
        sameAs(await playPieces(sizes));
      },
    ),
    { numRuns: 15 },
  );
});

/** What passes through is cut as it comes: how often it is waited for and asked does not count. */
function withoutSlices(client: Client): readonly string[] {
  const kept: string[] = [];
  for (const action of client.actions) {
    if (action === 'deadline' || action === 'ask' || action === 'flush') continue;
    const last = kept.length - 1;
    if (action.startsWith('send ') && kept[last]?.startsWith('send ') === true) {
      kept[last] += action.slice(5);
    } else kept.push(action);
  }
  return kept;
}

/** The whole session in pieces of these sizes, then the rest. */
async function playPieces(pieces: readonly number[]): Promise<Client> {
  const client = new Client(mailbox());
  const bytes = Buffer.from(SESSION, 'latin1');
  let at = 0;
  for (const size of pieces) {
    await client.send(bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length) await client.send(bytes.subarray(at), 65_536);
  return client;
}

function mailbox(): MemoryMail {
  const mail = new MemoryMail();
  mail.deliver('INBOX', 'Subject: hello\n\nA note.\n');
  mail.deliver('INBOX', 'Subject: there\n\nAnother.\n');
  return mail;
}

test('random octets never break the machine', async () => {
  const words = fc.constantFrom(
    'a ',
    'FETCH ',
    'SEARCH ',
    'APPEND INBOX ',
    '{3+}\r\n',
    '{3}\r\n',
    '(',
    ')',
    '"',
    '\\',
    '1:* ',
    'BODY[',
    ']',
    '<0.1>',
    '\r\n',
    '\0',
    '\xff',
    '*',
    '%',
    'NOT ',
    'UID ',
    'LIST ',
    'CREATE ',
    '&',
    'IDLE\r\n',
    'DONE\r\n',
    'STORE 1 FLAGS ',
    'RETURN ',
    'OR ',
    'x',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 60 }), async (list) => {
      const client = await Client.selected(mailbox(), { errors: 1_000 });
      await client.send(Buffer.from(list.join(''), 'latin1'));
      await client.send('\r\nDONE\r\nxyz\r\nz NOOP\r\n');
      const said = client.read();
      assert.ok(client.closed || said.endsWith('z OK NOOP completed\r\n'), said);
      assert.doesNotMatch(said, /[\x80-\xff\0]/);
    }),
    { numRuns: 300 },
  );
});

test('where a long line is given up does not depend on how it was cut', async () => {
  const options = { lineBytesBeforeLogin: 120, swallowBytesBeforeLogin: 5 };
  for (const end of ['\n', '\r\n', '\r\nb NOOP\r\n', '']) {
    for (let length = 118; length < 130; length++) {
      const input = `${'x'.repeat(length)}${end}`;
      const whole = new Client(new MemoryMail(), options);
      await whole.send(input);
      const octets = new Client(new MemoryMail(), options);
      await octets.send(input, 1);
      assert.equal(octets.read(), whole.read(), JSON.stringify(input));
      assert.deepEqual(octets.facts, whole.facts, JSON.stringify(input));
    }
  }
});
