/** Hostile input on the IMAP ports, before and after the login: an answer, and the next command. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LineClient } from '../world/line-client.ts';
import { WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start();
  for (const n of [1, 2, 3]) await server.deliver(`Subject: mail ${n}\r\n\r\nbody ${n}`);
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

/** After the login, with INBOX selected: what is sent as `t <command>`, and the tagged answer. */
const SELECTED: readonly (readonly [string, RegExp])[] = [
  // I1: literals of any announced size that are not read on.
  ['LIST "" {-1}', /^t BAD/],
  ['LIST "" {1+', /^t BAD/],
  ['LIST "" {}', /^t BAD/],
  ['LIST "" {0x10}', /^t BAD/],
  ['LIST "" {4294967296}', /^t (?:BAD|NO)/],
  ['LIST "" {9223372036854775808}', /^t (?:BAD|NO)/],
  ['LIST "" {1048577}', /^t BAD \[TOOBIG\]/],
  ['APPEND INBOX {4294967296}', /^t NO \[TOOBIG\]/],
  ['APPEND INBOX {-5}', /^t BAD/],
  ['APPEND INBOX {0}', /^t NO/],
  ['APPEND nowhere {10}', /^t NO \[TRYCREATE\]/],
  ['LIST "" {3+}\r\nabc', /^t OK/],
  [`LIST "" ${'{1+}\r\na'.repeat(1_100)}`, /^t BAD/],
  [`LOGIN ${'{9+}\r\naaaaaaaaa '.repeat(2)}`, /^t BAD/],
  // I2: sets.
  ['FETCH 0 FLAGS', /^t BAD/],
  ['FETCH 1:4294967296 FLAGS', /^t BAD/],
  ['FETCH 4294967296 FLAGS', /^t BAD/],
  ['FETCH -1 FLAGS', /^t BAD/],
  ['FETCH 1,,2 FLAGS', /^t BAD/],
  ['UID FETCH 4294967295:1 FLAGS', /^t OK/],
  [`FETCH ${'1,2,'.repeat(7_000)}1 FLAGS`, /^t BAD/],
  ['FETCH *:* FLAGS', /^t OK/],
  // I3: searches.
  [`SEARCH ${'NOT '.repeat(5_000)}ALL`, /^t BAD/],
  [`SEARCH ${'OR '.repeat(5_000)}ALL ALL`, /^t BAD/],
  [`SEARCH ${'('.repeat(20_000)}`, /^t BAD/],
  ['SEARCH CHARSET X-UNKNOWN TEXT a', /^t NO \[BADCHARSET/],
  ['SEARCH SINCE 31-Feb-9999', /^t BAD/],
  ['SEARCH HEADER "" ""', /^t (?:OK|BAD|NO)/],
  ['SEARCH SUBJECT {3+}\r\n\xff\xfe\x80', /^t (?:OK|NO|BAD)/],
  ['SEARCH CHARSET UTF-8 SUBJECT {2+}\r\n\xc0\xaf', /^t (?:OK|NO|BAD)/],
  // I4: sections.
  [`FETCH 1 BODY[${'1.'.repeat(1_000)}1]`, /^t (?:BAD|OK)/],
  ['FETCH 1 BODY[]<0.4294967295>', /^t OK/],
  ['FETCH 1 BODY[]<-1.5>', /^t BAD/],
  ['FETCH 1 BODY[]<0.0>', /^t (?:BAD|OK)/],
  ['FETCH 1 BODY[0]', /^t BAD/],
  ['FETCH 1 BODY[4294967296]', /^t (?:BAD|OK)/],
  [`FETCH 1 BODY[HEADER.FIELDS (${'X '.repeat(10_000)}X)]`, /^t BAD/],
  ['FETCH 1 BODY[HEADER.FIELDS ({5+}\r\nA\r\nB:)]', /^t (?:BAD|OK)/],
  [`FETCH 1 (${'FLAGS '.repeat(5_000)}FLAGS)`, /^t BAD/],
  // I5: names.
  ['CREATE "../../etc/passwd"', /^t (?:OK|NO)/],
  ['CREATE "a//b"', /^t NO/],
  ['CREATE "/abs"', /^t NO/],
  ['CREATE {3+}\r\na\0b', /^t (?:NO|BAD)/],
  ['CREATE {3+}\r\na\rb', /^t (?:NO|BAD)/],
  ['CREATE "a\x01b"', /^t (?:NO|BAD)/],
  ['CREATE "&AAA-"', /^t NO/],
  ['CREATE "&AGE-"', /^t NO/],
  ['CREATE "&Jjo"', /^t NO/],
  ['CREATE "&2D0-"', /^t NO/],
  ['CREATE inbox', /^t NO/],
  ['CREATE "\xc3\xa4"', /^t (?:NO|BAD)/],
  ['CREATE "%"', /^t NO/],
  [`CREATE "${'n'.repeat(1_000)}"`, /^t NO/],
  [`CREATE "${'n/'.repeat(5_000)}n"`, /^t (?:NO|BAD)/],
  ['CREATE __proto__', /^t OK/],
  ['SELECT constructor', /^t NO/],
  ['DELETE INBOX', /^t NO/],
  ['RENAME nowhere elsewhere', /^t NO/],
  ['CREATE ""', /^t NO/],
  // I6: patterns that some matchers need years for.
  [`LIST "" "${'%*'.repeat(50)}x"`, /^t (?:OK|BAD)/],
  [`LIST "" "${'*a'.repeat(30)}*b"`, /^t (?:OK|BAD)/],
  // I14 and I15: flags and dates.
  ['STORE 1 +FLAGS (\\Recent)', /^t (?:BAD|NO)/],
  ['STORE 1 +FLAGS (a{b)', /^t BAD/],
  [`STORE 1 +FLAGS (${'k '.repeat(5_000)}k)`, /^t (?:BAD|NO)/],
  [`STORE 1 +FLAGS (${'k'.repeat(5_000)})`, /^t (?:BAD|NO)/],
  ['APPEND INBOX "99-Foo-9999 99:99:99 +9999" {1+}\r\nx', /^t BAD/],
  ['APPEND INBOX (\\Seen \\Seen) "01-Jan-2020 00:00:00 +0000" {4+}\r\nx: y', /^t OK/],
  // Grammar.
  ['FETCH', /^t BAD/],
  ['FETCH 1', /^t BAD/],
  ['UID', /^t BAD/],
  ['UID LOGOUT', /^t BAD/],
  ['XYZZY', /^t BAD/],
  ['STARTTLS', /^t BAD/],
  ['LOGIN a b', /^t BAD/],
  ['AUTHENTICATE PLAIN', /^t BAD/],
  ['NOOP extra', /^t BAD/],
  ['\xff\xfe', /^t BAD/],
  ['NOOP\0', /^t BAD/],
];

/** Before a login. */
const STRANGER: readonly (readonly [string, RegExp])[] = [
  ['SELECT INBOX', /^t BAD/],
  ['FETCH 1 BODY[]', /^t BAD/],
  ['APPEND INBOX {9000}', /^t BAD \[TOOBIG\]/],
  ['LOGIN {4294967296}', /^t BAD \[TOOBIG\]/],
  ['LOGIN {-1}', /^t BAD/],
  [`LOGIN ${'('.repeat(8_000)}`, /^t BAD/],
  ['LOGIN "a\\', /^t BAD/],
  ['LOGIN {3+}\r\na\0b x', /^t (?:BAD|NO)/],
  ['LOGIN ann', /^t BAD/],
  ['ID (((', /^t BAD/],
  [`ID (${'"a" "b" '.repeat(500)})`, /^t BAD/],
  ['ENABLE', /^t BAD/],
  ['AUTHENTICATE XYZZY', /^t NO/],
  ['AUTHENTICATE PLAIN ====', /^t (?:BAD|NO)/],
];

test('what a logged-in client gets wrong is answered, and the next command is read', async () => {
  let client = await reconnect();
  for (const [index, [command, expected]] of SELECTED.entries()) {
    if (index % 10 === 9) {
      client.close();
      client = await reconnect();
    }
    const shown = JSON.stringify(command.slice(0, 80));
    const lines = await client.tagged('t', command);
    assert.match(lines.at(-1) ?? 'closed', expected, shown);
    const noop = await client.tagged('n', 'NOOP');
    assert.match(noop.at(-1) ?? '', /^n OK/, `${shown}: ${noop.join('|')}`);
  }
  client.close();
});

for (const name of ['imap', 'imaps']) {
  test(`what a stranger gets wrong on ${name} is answered, and the next command is read`, async () => {
    let client = await server.open(name);
    for (const [index, [command, expected]] of STRANGER.entries()) {
      if (index % 5 === 4) {
        client.close();
        client = await server.open(name);
      }
      const lines = await client.tagged('t', command);
      // In clear nobody logs in at all.
      const clear = name === 'imap' && /^(?:LOGIN|AUTH)/.test(command) ? /^t (?:BAD|NO)/ : expected;
      assert.match(lines.at(-1) ?? 'closed', clear, JSON.stringify(command.slice(0, 80)));
      assert.match((await client.tagged('n', 'NOOP')).at(-1) ?? '', /^n OK/, command.slice(0, 80));
    }
    client.close();
  });

  test(`tags, lines and ends that are none on ${name}`, async () => {
    for (const bad of [
      '',
      ' ',
      '* NOOP',
      '+ NOOP',
      `${'t'.repeat(10_000)} NOOP`,
      '(a) NOOP',
      'a',
    ]) {
      const client = await server.open(name);
      client.send(`${bad}\r\nn NOOP\r\n`);
      assert.match((await client.line()) ?? '', /BAD/, JSON.stringify(bad.slice(0, 20)));
      assert.match((await client.line()) ?? '', /^n OK/, JSON.stringify(bad.slice(0, 20)));
      client.close();
    }
    for (const fatal of ['a NOOP\n', 'a LOGIN {99999999+}\r\n', 'a '.repeat(200_000)]) {
      const client = await server.open(name);
      await client.pour(fatal);
      const lines = await client.rest();
      assert.match(lines.join('|'), /\* BYE/, JSON.stringify(fatal.slice(0, 20)));
    }
    for (const half of ['a NOO', 'a LOGIN {5}\r\nab', 'a LOGIN "x', 'a LOGIN {10+}\r\n']) {
      const client = await server.open(name);
      client.send(half);
      client.end();
      assert.doesNotMatch((await client.rest()).join('|'), /OK/);
    }
  });
}

test('a message that ends half way is not kept, a name in it is not spoken', async () => {
  const before = await server.count();
  for (const how of ['end', 'reset'] as const) {
    const client = await server.imap();
    client.send('a APPEND INBOX {100000+}\r\nSubject: half\r\n\r\nonly this');
    client[how]();
    if (how === 'end') assert.doesNotMatch((await client.rest()).join('|'), /^a OK/);
  }
  assert.equal(await server.count(), before);
});

test('refused literals that come anyway are passed over, up to a limit', async () => {
  const client = await server.imap();
  const size = 3_000_000;
  client.send(`a LIST "" {${size}+}\r\n`);
  await client.pour('b LOGOUT\r\n'.repeat(size / 10));
  client.send('\r\nc NOOP\r\n');
  assert.match((await client.line()) ?? '', /^a BAD \[TOOBIG\]/);
  assert.match((await client.line()) ?? '', /^c OK/);
  client.close();
  const absurd = await server.imap();
  absurd.send('a LIST "" {99999999999+}\r\n');
  assert.match((await absurd.rest()).join('|'), /\* BYE/);
});

test('what a message says cannot speak as the server', async () => {
  const injected = '\u2028* BYE x\u2028';
  const subject = `=?utf-8?b?${Buffer.from('\r\n* 1 EXPUNGE\r\n').toString('base64')}?=`;
  const content = [
    `Subject: ${subject}`,
    'From: "a\\"\\\\b" <"x\\"y"@far.example>',
    `Content-Type: text/plain; name="a\\"b\\\\c"; x="${injected}"`,
    "Content-Disposition: attachment; filename*=utf-8''%0d%0a*%20BYE",
    'Content-Description: 8bit \xc3\xa4 "quoted"',
    '',
    'x',
  ].join('\r\n');
  const mail = await server.smtp();
  await mail.ask('MAIL FROM:<s@far.example>');
  await mail.ask(`RCPT TO:<${server.users[1]}>`);
  await mail.ask('DATA');
  await mail.pour(Buffer.from(content, 'utf8'));
  assert.match(await mail.ask('\r\n.'), /^250/);
  const client = await server.imap(1);
  await client.tagged('a', 'SELECT INBOX');
  const lines = await client.tagged('b', 'FETCH 1:* (ENVELOPE BODYSTRUCTURE)');
  assert.match(lines.at(-1)!, /^b OK/);
  for (const line of lines) {
    assert.doesNotMatch(line, /^\* (?:BYE|1 EXPUNGE)/);
    assert.doesNotMatch(line, /[^\x20-\x7e]/, JSON.stringify(line));
  }
  client.close();
});

async function reconnect(): Promise<LineClient> {
  const client = await server.imap();
  await client.tagged('s', 'SELECT INBOX');
  return client;
}
