/** APPEND: streaming, line ends, TRYCREATE before the octets, limits, failures of the disk. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Client, play } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';
import { LineEnds } from './line-ends.ts';

const MESSAGE = 'From: a@b\r\nSubject: x\r\n\r\nbody\r\n';

test('a synchronising literal: continuation, APPENDUID, flags and date kept', async () => {
  const mail = new MemoryMail();
  const client = await Client.loggedIn(mail);
  const heading = `a APPEND INBOX (\\Seen $Fwd) "17-Jul-1996 02:44:25 -0700" {${MESSAGE.length}}`;
  assert.equal(await client.run(heading), '+ Ready for the literal\r\n');
  assert.equal(await client.run(MESSAGE), 'a OK [APPENDUID 1001 1] APPEND completed\r\n');
  const [message] = mail.box('INBOX').messages;
  assert.deepEqual(message?.flags, ['\\Seen', '$Fwd']);
  assert.equal(message?.internalDateMs, Date.UTC(1996, 6, 17, 9, 44, 25));
  assert.deepEqual(mail.texts('INBOX'), [MESSAGE]);
});

test('non-synchronising, the name a literal too, and the next command in the same packet', async () => {
  const mail = new MemoryMail();
  const client = await Client.loggedIn(mail);
  await client.send(`a APPEND {5+}\r\nINBOX {${MESSAGE.length}+}\r\n${MESSAGE}\r\nb NOOP\r\n`);
  assert.equal(
    client.read(),
    'a OK [APPENDUID 1001 1] APPEND completed\r\nb OK NOOP completed\r\n',
  );
  assert.deepEqual(mail.texts('INBOX'), [MESSAGE]);
});

test('into the selected mailbox: EXISTS before OK', async () => {
  const client = await Client.selected(new MemoryMail());
  await client.send(`a APPEND INBOX {${MESSAGE.length}+}\r\n${MESSAGE}\r\n`);
  assert.equal(
    client.read(),
    '* 1 EXISTS\r\n* 0 RECENT\r\na OK [APPENDUID 1001 1] APPEND completed\r\n',
  );
});

test('refused before the octets come; a literal that comes anyway is swallowed', async () => {
  const mail = new MemoryMail();
  const client = await Client.loggedIn(mail, { messageBytes: 100 });
  await play(
    client,
    `C: a APPEND nowhere {10}
     S: a NO [TRYCREATE] There is no such mailbox
     C: b APPEND INBOX {101}
     S: b NO [TOOBIG] A message has at most 100 octets
     C: c APPEND INBOX {0}
     S: c NO [CANNOT] A message is not empty
     C: d APPEND INBOX (\\Bogus) {10}
     S: + Ready for the literal
     C: 0123456789
     S: d BAD There is no such system flag
     C: e APPEND INBOX "31-Feb-2000 00:00:00 +0000" {3+}
     C: abc
     S: e BAD There is no such date and time`,
  );
  await client.send(`f APPEND INBOX {200+}\r\n${'f NOOP\r\n'.repeat(25)}\r\ng NOOP\r\n`);
  assert.equal(
    client.read(),
    'f NO [TOOBIG] A message has at most 100 octets\r\ng OK NOOP completed\r\n',
  );
  await client.send(`h APPEND nowhere {10+}\r\nh NOOP\r\n\r\n\r\ni NOOP\r\n`);
  assert.equal(
    client.read(),
    'h NO [TRYCREATE] There is no such mailbox\r\ni OK NOOP completed\r\n',
  );
  assert.equal(mail.texts('INBOX').length, 0);
  assert.equal(client.access.openUploads, 0);
});

test('something after the message is BAD and nothing is kept', async () => {
  const mail = new MemoryMail();
  const client = await Client.loggedIn(mail);
  await client.send('a APPEND INBOX {3+}\r\nabc {3+}\r\nabc\r\nb NOOP\r\n');
  assert.match(client.read(), /^a BAD .*\r\nb OK NOOP completed\r\n$/);
  assert.deepEqual(client.access.writes, []);
  assert.equal(client.access.openUploads, 0);
});

test('no OK before the commit; NO and nothing lost when the disk fails', async () => {
  const client = await Client.loggedIn(new MemoryMail());
  const disk = Promise.withResolvers<void>();
  client.access.beforeWrite = () => disk.promise;
  const sent = client.send(`a APPEND INBOX {${MESSAGE.length}+}\r\n${MESSAGE}\r\n`);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  assert.equal(client.read(), '');
  disk.resolve();
  await sent;
  assert.match(client.read(), /^a OK/);
  client.access.beforeWrite = async () => {
    throw Failure.temporary('disk-full', 'no room');
  };
  await client.send(`b APPEND INBOX {3+}\r\nabc\r\nc NOOP\r\n`);
  assert.match(client.read(), /^b NO \[UNAVAILABLE\] .*\r\nc OK/);
});

test('a disk that fails while octets come: the rest is swallowed, then NO', async () => {
  const client = await Client.loggedIn(new MemoryMail(), { sliceBytes: 10 });
  const { access } = client;
  const upload = access.upload.bind(access);
  let writes = 0;
  access.upload = () => {
    const inner = upload();
    return {
      ...inner,
      write: (bytes) => {
        writes++;
        if (writes === 2) throw Failure.temporary('disk-full', 'no room');
        return inner.write(bytes);
      },
    };
  };
  await client.send(`a APPEND INBOX {50+}\r\n${'x'.repeat(50)}\r\nb NOOP\r\n`);
  assert.match(client.read(), /^a NO \[UNAVAILABLE\] .*\r\nb OK NOOP completed\r\n$/);
  assert.equal(writes, 2);
  assert.equal(access.openUploads, 0);
});

test('bare CR and LF become CRLF, wherever the pieces are cut', async () => {
  const mail = new MemoryMail();
  const client = await Client.loggedIn(mail);
  await client.send('a APPEND INBOX {12+}\r\nA: b\n\nx\ry\r\nz\r\n', 1);
  assert.match(client.read(), /^a OK/);
  assert.deepEqual(mail.texts('INBOX'), ['A: b\r\n\r\nx\r\ny\r\nz']);
  const octets = fc.array(fc.constantFrom(0x0d, 0x0a, 0x61, 0), { maxLength: 40 });
  fc.assert(
    fc.property(octets, fc.integer({ min: 1, max: 7 }), (list, size) => {
      const ends = new LineEnds();
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < list.length; at += size) {
        pieces.push(ends.repair(Uint8Array.from(list.slice(at, at + size))));
      }
      pieces.push(ends.finish());
      const expected = latin1(Uint8Array.from(list)).replace(/\r\n|\r|\n/g, '\r\n');
      assert.equal(latin1(concat(pieces)), expected);
    }),
  );
});

test('what needs no repair is passed on as it is', () => {
  const bytes = utf8('a\r\nb\r\n');
  assert.equal(new LineEnds().repair(bytes), bytes);
});

test('a client that goes away in the middle of a message', async () => {
  const mail = new MemoryMail();
  const client = await Client.loggedIn(mail);
  await client.send('a APPEND INBOX {1000}\r\nhalf');
  client.read();
  assert.equal(await client.happens('ended'), '');
  assert.ok(client.closed);
  assert.equal(mail.texts('INBOX').length, 0);
});
