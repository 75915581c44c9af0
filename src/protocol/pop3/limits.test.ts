/** POP3 limits: lines, commands, errors, slices, idle time, a million messages. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { utf8 } from '#base/bytes.ts';
import { encodeBase64 } from '../sasl/base64.ts';
import { Desk, LOGIN, loggedIn } from './desk.test.ts';

suite('pop3 limits', () => {
  test('an endless line closes the connection after a few kilobytes', () => {
    const desk = new Desk();
    let sent = 0;
    while (!desk.closed && sent < 1_000_000) {
      desk.say('x'.repeat(500));
      sent += 500;
    }
    assert.equal(desk.output, '-ERR line too long\r\n');
    assert.ok(sent <= 2_500);
  });

  test('the line limit counts CRLF, and SASL lines have their own', () => {
    const fits = new Desk({ lineBytes: 20 });
    assert.match(fits.say(`USER ${'x'.repeat(13)}\r\n`), /^\+OK/);
    assert.equal(
      new Desk({ lineBytes: 20 }).say(`USER ${'x'.repeat(14)}\r\n`),
      '-ERR line too long\r\n',
    );
    const sasl = new Desk({ lineBytes: 20, saslLineBytes: 100 });
    const response = encodeBase64(utf8('\0alice\0correct horse '));
    assert.match(sasl.say('AUTH PLAIN\r\n', `${response}\r\n`), /\+OK 2 messages/);
  });

  test('a bare LF is said and closes', () => {
    for (const line of ['NOOP\n', 'USER a\nPASS b\r\n', '\n']) {
      const desk = new Desk();
      assert.equal(desk.say(line), '-ERR lines end in CRLF, not in LF\r\n');
      assert.ok(desk.closed);
    }
  });

  test('HTTP and TLS in clear end the session: what follows them is no command', () => {
    for (const foreign of ['POST / HTTP/1.1\r\n', '\x16\x03\x01\x02\r\n']) {
      const desk = new Desk();
      assert.equal(desk.say(foreign, 'CAPA\r\n'), '-ERR this is POP3\r\n');
      assert.ok(desk.closed);
    }
  });

  test('100,000 USER, or as many errors, end the connection early', () => {
    const desk = new Desk();
    desk.say('USER alice\r\n'.repeat(100_000));
    assert.equal(desk.output.split('\r\n').length - 1, 101);
    assert.ok(desk.closed);
    const wrong = loggedIn();
    wrong.say('RETR 0\r\n'.repeat(100_000));
    assert.ok(wrong.closed);
  });

  test('pipelined RETR waits for the client; small messages share a packet', () => {
    const desk = new Desk({ sliceBytes: 1_000 });
    desk.messages = ['a: b\r\n\r\n'.padEnd(100, 'x')];
    desk.say(`${LOGIN}${'RETR 1\r\n'.repeat(100)}`);
    const flushes = desk.events.filter((event) => event === 'flush').length;
    assert.ok(flushes >= 10 && flushes <= 13, String(flushes));
  });

  test('a million messages: listed in slices, deleted and counted in no time', () => {
    const desk = new Desk();
    desk.messages = Array(1_000_000).fill('x');
    desk.say(LOGIN);
    desk.say('LIST\r\n');
    assert.ok(desk.events.filter((event) => event === 'flush').length > 100);
    desk.output = '';
    desk.say('STAT\r\n'.repeat(10_000), 'DELE 1000000\r\nDELE 1\r\n', 'STAT\r\n');
    assert.match(desk.output, /\+OK 999998 999998\r\n$/);
    desk.say('QUIT\r\n');
    assert.deepEqual(desk.removed, [0, 999_999]);
  });

  test('the idle limit is more than ten minutes after login, and each slice renews it', () => {
    const desk = new Desk({ sliceBytes: 10 });
    assert.deepEqual(desk.deadlines, [180_000]);
    desk.say(LOGIN);
    assert.ok((desk.deadlines.at(-1) ?? 0) < 600_000);
    desk.say('NOOP\r\n');
    assert.ok((desk.deadlines.at(-1) ?? 0) > 600_000);
    const before = desk.deadlines.length;
    desk.say('RETR 1\r\n');
    assert.ok(desk.deadlines.length - before >= 4);
  });

  test('half a command renews nothing', () => {
    const desk = loggedIn();
    const before = desk.deadlines.length;
    desk.say('N', 'O', 'O');
    assert.equal(desk.deadlines.length, before);
  });
});
