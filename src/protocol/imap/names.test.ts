/** Mailbox names and LIST patterns: hostile ones refused, strange ones kept, nothing expensive. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Client } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';
import { decodeName, encodeName, foldInbox } from './mailbox-name.ts';
import { matchesPattern } from './wildcard.ts';
import { cpuTimer } from '#test/world/cpu.ts';

/** CREATE with a literal of these octets. */
const creations: readonly (readonly [octets: string, reply: RegExp])[] = [
  ['../../etc/passwd', /OK/],
  ['..', /OK/],
  ['.', /OK/],
  ['~root', /OK/],
  ['__proto__', /OK/],
  ['constructor/toString', /OK/],
  ['"', /OK/],
  ['\\', /OK/],
  ['INBOX/INBOX', /OK/],
  ['a b', /OK/],
  ['&ZeVnLIqe-', /OK/],
  ['&AOQ-', /OK/],
  ['/abs', /NO \[CANNOT\] A level/],
  ['a//b', /NO \[CANNOT\] A level/],
  ['', /NO \[CANNOT\] A level/],
  ['/', /NO \[CANNOT\] A level/],
  ['a\0b', /NO \[CANNOT\]/],
  ['a\r\n* BYE', /NO \[CANNOT\]/],
  ['a\x7fb', /NO \[CANNOT\]/],
  ['&AAA-', /NO \[CANNOT\]/],
  ['&AGE-', /NO \[CANNOT\] .*canonical/],
  ['&Jjo', /NO \[CANNOT\] .*canonical/],
  ['&', /NO \[CANNOT\] .*canonical/],
  ['&-&-&', /NO \[CANNOT\] .*canonical/],
  ['&AOQ-&APY-', /NO \[CANNOT\] .*canonical/],
  ['&AOQA9g', /NO \[CANNOT\] .*canonical/],
  ['&AOR-', /NO \[CANNOT\] .*canonical/],
  ['&2D0-', /NO \[CANNOT\]/],
  ['&ICg-', /NO \[CANNOT\] A mailbox name cannot have control/],
  ['&AIU-', /NO \[CANNOT\] A mailbox name cannot have control/],
  ['gr\xc3\xbcn', /NO \[CANNOT\] .*canonical/],
  ['\xff', /NO \[CANNOT\]/],
  ['a%b', /NO \[CANNOT\]/],
  ['*', /NO \[CANNOT\]/],
  ['x'.repeat(500), /OK/],
  ['x'.repeat(501), /NO \[LIMIT\]/],
  ['inbox', /NO \[ALREADYEXISTS\]/],
  [Array.from({ length: 20 }, () => 'l').join('/'), /OK/],
  [Array.from({ length: 21 }, () => 'l').join('/'), /NO \[LIMIT\]/],
  [Array.from({ length: 10_000 }, () => 'l').join('/'), /NO \[LIMIT\]/],
];

test('CREATE with hostile and strange names', async () => {
  for (const [octets, reply] of creations) {
    const client = await Client.loggedIn();
    await client.send(
      Buffer.from(`a CREATE {${octets.length}+}\r\n${octets}\r\nb LIST "" *\r\n`, 'latin1'),
    );
    const said = client.read();
    assert.match(said, new RegExp(`^a ${reply.source}`), octets.slice(0, 40));
    assert.match(said, /\r\nb OK LIST completed\r\n$/);
    assert.doesNotMatch(said, /\* BYE|[\x80-\xff\0]/);
  }
});

test('what was created can be named, selected and deleted as LIST shows it', async () => {
  for (const name of [
    '__proto__',
    'a"b',
    'back\\slash',
    '&AOQ-',
    'R&-D',
    '(x)',
    '{5}',
    'nil',
    ']',
  ]) {
    const mail = new MemoryMail();
    const client = await Client.loggedIn(mail);
    await client.send(`a CREATE {${name.length}+}\r\n${name}\r\nb LIST "" *\r\n`);
    const shown = /\* LIST \(\\HasNoChildren\) "\/" (?!INBOX)([^\r]+)\r\n/.exec(client.read())?.[1];
    assert.ok(shown !== undefined, name);
    assert.match(await client.run(`c SELECT ${shown}`), /c OK/);
    assert.match(await client.run(`d DELETE ${shown}`), /d OK/);
  }
});

test('decomposed and composed names are one mailbox', async () => {
  const client = await Client.loggedIn();
  assert.match(await client.run(`a CREATE ${encodeName('gru\u0308n')}`), /OK/);
  assert.match(await client.run(`b CREATE ${encodeName('gr\u00fcn')}`), /ALREADYEXISTS/);
});

test('modified UTF-7: every name goes there and back, and only one form is taken', () => {
  assert.equal(
    encodeName('~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e'),
    '~peter/mail/&U,BTFw-/&ZeVnLIqe-',
  );
  assert.equal(decodeName('&U,BTFw-'), '\u53f0\u5317');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (name) => {
      assert.equal(decodeName(encodeName(name)), name);
    }),
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('&', '-', 'A', 'J', 'j', ',', '+', '/'), maxLength: 12 }),
      (wire) => {
        const name = decodeName(wire);
        if (name !== undefined) assert.equal(encodeName(name), wire);
      },
    ),
  );
});

test('INBOX in any case, as the first level only', () => {
  assert.equal(foldInbox('inBox'), 'INBOX');
  assert.equal(foldInbox('Inbox/a'), 'INBOX/a');
  assert.equal(foldInbox('inboxes'), 'inboxes');
  assert.equal(foldInbox('a/inbox'), 'a/inbox');
});

const patterns: readonly (readonly [name: string, pattern: string, matches: boolean])[] = [
  ['a/b', '*', true],
  ['a/b', '%', false],
  ['a/b', '%/%', true],
  ['a/b/c', 'a/%', false],
  ['a/b/c', 'a/*', true],
  ['a/b/c', '*c', true],
  ['abc', 'a%c', true],
  ['abc', 'abc%', true],
  ['abc', 'ab', false],
  ['abc', '', false],
  ['', '*', true],
  ['a/b', '%*', true],
  ['a/b', '*%', true],
  ['a.b', 'a?b', false],
];

test('wildcards', () => {
  for (const [name, pattern, expected] of patterns) {
    assert.equal(matchesPattern(name, pattern), expected, `${name} ${pattern}`);
  }
});

test('no pattern is expensive', async () => {
  const mail = new MemoryMail();
  for (let at = 0; at < 200; at++) mail.create(`${'a'.repeat(60)}${at}`);
  const client = await Client.loggedIn(mail);
  const hostile = [
    '%*'.repeat(50),
    `${'*a'.repeat(30)}*b`,
    '%'.repeat(900),
    `${'%a'.repeat(400)}b`,
  ];
  const spent = cpuTimer();
  for (const pattern of hostile) {
    assert.match(await client.run(`a LIST "" "${pattern}"`), /a OK LIST completed\r\n$/);
  }
  assert.ok(spent() < 2_000);
});
