/** The POP3 machine by transcript: every command in TRANSACTION and UPDATE, every chunking. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Desk, LOGIN, ONE, loggedIn } from './desk.test.ts';

const SESSION = `${LOGIN}STAT\r\nLIST\r\nLIST 2\r\nUIDL\r\nuidl 1\r\nRETR 1\r\nTOP 2 1\r\nDELE 1\r\nSTAT\r\nRSET\r\nNOOP\r\nDELE 2\r\nQUIT\r\n`;
const REPLIES = [
  '+OK send PASS',
  '+OK 2 messages (64 octets)',
  '+OK 2 64',
  '+OK 2 messages (64 octets)\r\n1 31\r\n2 33\r\n.',
  '+OK 2 33',
  '+OK 2 messages (64 octets)\r\n1 7.10\r\n2 7.11\r\n.',
  '+OK 1 7.10',
  `+OK 31 octets\r\n${ONE}.`,
  '+OK 33 octets\r\nSubject: two\r\n\r\n..\r\n.',
  '+OK message 1 deleted',
  '+OK 1 33',
  '+OK 2 messages (64 octets)',
  '+OK nothing done',
  '+OK message 2 deleted',
  '+OK goodbye, 1 removed',
  '',
].join('\r\n');

suite('pop3 machine', () => {
  test('a whole session, pipelined', () => {
    const desk = new Desk();
    assert.equal(desk.say(SESSION), REPLIES);
    assert.deepEqual(desk.removed, [1]);
    assert.ok(desk.closed);
  });

  test('any chunking gives the same', () => {
    const whole = new Desk({ sliceBytes: 10 });
    whole.say(SESSION);
    const bytes = utf8(SESSION);
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const desk = new Desk({ sliceBytes: 10 });
      desk.say(bytes.subarray(0, cut), bytes.subarray(cut));
      assert.equal(desk.output, whole.output, `cut at ${cut}`);
      assert.deepEqual(
        [desk.events, desk.asked, desk.facts],
        [whole.events, whole.asked, whole.facts],
      );
    }
    const slow = new Desk({ sliceBytes: 10 });
    slow.say(...Array.from(bytes, (octet) => Uint8Array.of(octet)));
    assert.equal(slow.output, whole.output);
    assert.deepEqual(slow.events, whole.events);
  });

  test('RETR stuffs dots, ends an open last line, whatever the slices', () => {
    for (let sliceBytes = 1; sliceBytes < 40; sliceBytes += 1) {
      const desk = loggedIn({ sliceBytes });
      const expected = 'Subject: two\r\n\r\n..\r\n...\r\n..x\r\n\r\nlast\r\n.\r\n';
      assert.equal(desk.say('RETR 2\r\n'), `+OK 33 octets\r\n${expected}`, String(sliceBytes));
    }
  });

  for (const [stored, sent] of [
    ['', '.\r\n'],
    ['.', '..\r\n.\r\n'],
    ['\r\n', '\r\n.\r\n'],
    ['a: b\r\n\r\nx\n.\ny', 'a: b\r\n\r\nx\r\n..\r\ny\r\n.\r\n'],
    ['a: b\r\n\r\nx\n.\r\ny\r\n', 'a: b\r\n\r\nx\r\n..\r\ny\r\n.\r\n'],
    ['a: b\r\n\r\n\n', 'a: b\r\n\r\n\r\n.\r\n'],
    ['a: b\r\n\r\nx\r', 'a: b\r\n\r\nx\r\r\n.\r\n'],
    ['a: b\r\n\r\n\xff\0.\r\n', 'a: b\r\n\r\n\xff\0.\r\n.\r\n'],
  ] as const) {
    test(`RETR of ${JSON.stringify(stored)} cannot end early or late`, () => {
      for (const sliceBytes of [1, 2, 3, 65_536]) {
        const desk = new Desk({ sliceBytes });
        desk.messages = [stored];
        desk.say(LOGIN);
        assert.equal(desk.say('RETR 1\r\n'), `+OK ${stored.length} octets\r\n${sent}`);
      }
    });
  }

  for (const [lines, body] of [
    ['0', ''],
    ['1', '..\r\n'],
    ['3', '..\r\n...\r\n..x\r\n'],
    ['5', '..\r\n...\r\n..x\r\n\r\nlast\r\n'],
    ['99999999999', '..\r\n...\r\n..x\r\n\r\nlast\r\n'],
    ['99999999999999999999', '..\r\n...\r\n..x\r\n\r\nlast\r\n'],
  ] as const) {
    test(`TOP 2 ${lines}`, () => {
      for (const sliceBytes of [1, 7, 65_536]) {
        const reply = loggedIn({ sliceBytes }).say(`TOP 2 ${lines}\r\n`);
        assert.equal(reply, `+OK 33 octets\r\nSubject: two\r\n\r\n${body}.\r\n`);
      }
    });
  }

  test('TOP reads no more of a large message than it shows', () => {
    const desk = new Desk({ sliceBytes: 100 });
    desk.messages = [`a: b\r\n\r\n${'x\r\n'.repeat(10_000)}`];
    desk.say(LOGIN);
    desk.asked = [];
    desk.say('TOP 1 0\r\nTOP 1 1\r\n');
    assert.deepEqual(desk.asked, ['octets', 'octets']);
  });

  test('message numbers that are none', () => {
    const desk = loggedIn();
    desk.say('DELE 2\r\n');
    const numbers = [
      '0',
      '-1',
      '3',
      '18446744073709551616',
      '1e0',
      '0x1',
      '+1',
      '1.0',
      '٣',
      '2',
      'x',
    ];
    for (const verb of ['RETR', 'DELE', 'LIST', 'UIDL']) {
      for (const number of numbers) {
        assert.match(desk.say(`${verb} ${number}\r\n`), /^-ERR [^\r\n]+\r\n$/, `${verb} ${number}`);
      }
    }
    for (const line of [
      'RETR',
      'DELE',
      'TOP',
      'TOP 1',
      'TOP 1 -1',
      'TOP 1 1 1',
      'TOP 0 1',
      'RETR 1 1',
      'LIST 1 1',
    ]) {
      assert.match(desk.say(`${line}\r\n`), /^-ERR /, line);
    }
    assert.equal(desk.say('UIDL\r\n'), '+OK 1 messages (31 octets)\r\n1 7.10\r\n.\r\n');
    assert.match(desk.say('UIDL 1\r\n'), /^\+OK 1 7\.10\r\n$/);
  });

  test('a connection that ends without QUIT removes nothing', () => {
    for (const end of ['ended', 'expired', 'stop'] as const) {
      const desk = loggedIn();
      desk.say('DELE 1\r\n');
      desk.output = '';
      desk.perform(desk.machine[end]());
      assert.equal(desk.removed, undefined);
      assert.equal(desk.output, '', 'RFC 1939 3: no reply');
      assert.ok(desk.closed);
      assert.deepEqual(desk.machine.receive(utf8('QUIT\r\n')), []);
    }
  });

  test('QUIT says +OK only when the removal is on disk', () => {
    const desk = loggedIn();
    desk.fail.remove = Failure.temporary('disk-full', '/var/lib/secret is full');
    assert.equal(
      desk.say('DELE 1\r\nQUIT\r\n'),
      '+OK message 1 deleted\r\n-ERR [SYS/TEMP] deleted messages were not removed\r\n',
    );
    assert.ok(desk.closed);
  });

  test('QUIT before login, and without deletions, asks nobody', () => {
    for (const desk of [new Desk(), loggedIn()]) {
      desk.asked = [];
      assert.equal(desk.say('QUIT\r\nSTAT\r\n'), '+OK goodbye\r\n');
      assert.ok(desk.closed);
      assert.deepEqual(desk.asked, []);
    }
  });

  test('a message that cannot be read: said before it began, and cut off after', () => {
    const desk = loggedIn();
    desk.fail.octets = Failure.temporary('disk', '/var/lib/secret');
    assert.equal(desk.say('RETR 1\r\n'), '-ERR [SYS/TEMP] try again later\r\n');
    const broken = loggedIn({ sliceBytes: 10 });
    broken.brokenFrom = 20;
    assert.equal(broken.say('RETR 1\r\n'), `+OK 31 octets\r\n${ONE.slice(0, 20)}`);
    assert.ok(broken.closed);
    const damaged = loggedIn();
    damaged.missing = 5;
    assert.equal(damaged.say('RETR 1\r\n'), '-ERR [SYS/PERM] the message is damaged\r\n');
    const halfway = loggedIn({ sliceBytes: 10 });
    halfway.missing = 5;
    assert.doesNotMatch(halfway.say('RETR 1\r\n'), /\r\n\.\r\n$/);
    assert.ok(halfway.closed);
  });
});
