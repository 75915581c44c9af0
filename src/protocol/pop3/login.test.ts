/** POP3 logins: only under TLS, every mechanism, hostile names, STLS and what is put behind it. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { concat, fromLatin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Secret } from '#base/secret.ts';
import { encodeBase64 } from '../sasl/base64.ts';
import { chooseSaslClient } from '../sasl/client.ts';
import { Desk, LOGIN, TLS } from './desk.test.ts';

suite('pop3 login', () => {
  test('nothing that carries a password works without TLS, nor is it announced', () => {
    const desk = new Desk({}, 'clear');
    const capa = desk.say('CAPA\r\n');
    assert.match(capa, /\r\nSTLS\r\n/);
    assert.doesNotMatch(capa, /USER|SASL|PLAIN|IMPLEMENTATION/);
    const plain = encodeBase64(utf8('\0alice\0correct horse '));
    for (const line of ['USER alice', 'PASS correct horse ', 'AUTH', `AUTH PLAIN ${plain}`]) {
      assert.match(desk.say(`${line}\r\n`), /^-ERR not without TLS/, line);
    }
    assert.deepEqual(desk.asked, []);
    assert.match(desk.say('STAT\r\n'), /^-ERR/);
  });

  test('CAPA under TLS, before and after the login', () => {
    const desk = new Desk();
    const capa = desk.say('CAPA\r\n');
    assert.equal(
      capa,
      '+OK capabilities follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n' +
        'EXPIRE NEVER\r\nUSER\r\nSASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN\r\n.\r\n',
    );
    desk.say(LOGIN);
    assert.equal(desk.say('CAPA\r\n'), capa);
    assert.match(desk.say('USER bob\r\n'), /^-ERR already/);
    assert.match(desk.say('STLS\r\n'), /^-ERR/);
  });

  test('a wrong password and an unknown user: same words, same questions', () => {
    const replies = ['alice', 'nobody'].map((user) => {
      const desk = new Desk();
      const reply = desk.say(`USER ${user}\r\nPASS wrong\r\n`);
      return [reply, desk.asked];
    });
    assert.deepEqual(replies[0], [
      '+OK send PASS\r\n-ERR [AUTH] login failed\r\n',
      ['nonce', 'sasl'],
    ]);
    assert.deepEqual(replies[1], replies[0]);
  });

  test('names and passwords that are hostile, empty or not UTF-8 are refused, not obeyed', () => {
    for (const [user, password] of [
      ["' OR '1'='1", 'x'],
      ['__proto__', 'x'],
      ['alice', ''],
      ['\xff\xfe', 'correct horse '],
      ['alice', '\xff'],
      ['alice\x01', 'correct horse '],
    ] as const) {
      const desk = new Desk();
      const reply = desk.say(fromLatin1(`USER ${user}\r\nPASS ${password}\r\n`));
      assert.match(reply, /-ERR \[AUTH\] login failed\r\n$/);
      assert.equal(desk.machine.session.login, undefined);
    }
  });

  test('PASS needs its own USER each time; failures are told, and end the connection', () => {
    const desk = new Desk({ loginFailures: 3 });
    assert.match(desk.say('PASS correct horse \r\n'), /^-ERR USER comes first/);
    desk.say('USER alice\r\nPASS wrong\r\n');
    assert.match(desk.say('PASS correct horse \r\n'), /^-ERR USER comes first/);
    desk.say('USER alice\r\nPASS wrong\r\n');
    assert.ok(!desk.closed);
    desk.say('USER alice\r\nPASS wrong\r\n');
    assert.ok(desk.closed);
    const failed = desk.facts.filter((fact) => fact.kind === 'login-failed');
    assert.deepEqual(
      failed,
      Array.from({ length: 3 }, () => ({
        kind: 'login-failed',
        mechanism: 'PASS',
        login: 'alice',
      })),
    );
  });

  test('AUTH with every mechanism, as a real client speaks it', () => {
    for (const name of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN']) {
      const desk = new Desk();
      assert.match(authenticate(desk, name, 'correct horse '), /^\+OK 2 messages/, name);
      assert.ok(desk.facts.some((fact) => fact.kind === 'authenticated'));
      assert.equal(desk.machine.session.login?.mechanism, name);
    }
    for (const name of ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']) {
      const desk = new Desk({ loginFailures: 1 });
      assert.equal(authenticate(desk, name, 'wrong'), '-ERR [AUTH] login failed\r\n', name);
      assert.equal(desk.facts.filter((fact) => fact.kind === 'login-failed').length, 1, name);
      assert.ok(desk.closed);
    }
  });

  for (const [lines, reply] of [
    [['AUTH'], /^\+OK .*\r\nSCRAM-SHA-256-PLUS\r\n(?:.*\r\n)+\.\r\n$/],
    [['AUTH CRAM-MD5'], /^-ERR no such mechanism/],
    [['AUTH PLAIN ='], /^-ERR malformed/],
    [['AUTH PLAIN !!!!'], /^-ERR malformed/],
    [['AUTH PLAIN AGFsaWNl AGFsaWNl'], /^-ERR one initial/],
    [['AUTH PLAIN', '*'], /^\+ \r\n-ERR cancelled/],
    [['AUTH LOGIN', 'YWxpY2U=', '*'], /-ERR cancelled/],
    [['AUTH PLAIN', ''], /^\+ \r\n-ERR malformed/],
    [['APOP alice c4c9334bac560ecc979e58001b3e22fb'], /^-ERR unknown command/],
    [['UTF8'], /^-ERR unknown/],
    [['LANG *'], /^-ERR unknown/],
    [['LANG \xff\xff'], /^-ERR unknown/],
    [[''], /^-ERR unknown/],
    [[' '], /^-ERR unknown/],
    [['__proto__'], /^-ERR unknown/],
    [['QU\0IT'], /^-ERR control/],
    [['NOOP\rQUIT'], /^-ERR control/],
    [['USER'], /^-ERR USER needs/],
    [['STAT'], /^-ERR log in first/],
  ] as const) {
    test(`${JSON.stringify(lines)} gets ${reply.source}`, () => {
      const desk = new Desk();
      assert.match(desk.say(...lines.map((line) => fromLatin1(`${line}\r\n`))), reply);
      assert.match(desk.say('CAPA\r\n'), /^\+OK/, 'and the session goes on');
    });
  }

  test('the maildrop in use: credentials were right, the session may try again', () => {
    const desk = new Desk({ loginFailures: 1 });
    desk.inUse = true;
    assert.match(desk.say(LOGIN), /-ERR \[IN-USE\]/);
    desk.inUse = false;
    assert.match(desk.say(LOGIN), /\+OK 2 messages/);
  });

  test('a failing outside is temporary, and only the waiting time is told', () => {
    const desk = new Desk();
    desk.fail.sasl = Failure.temporary('login-delayed', 'too many failed logins, try again in 4 s');
    assert.match(desk.say(LOGIN), /-ERR \[SYS\/TEMP\] too many failed logins, try again in 4 s/);
    desk.fail = { open: Failure.temporary('disk', '/var/lib/postern is gone') };
    assert.match(desk.say(LOGIN), /-ERR \[SYS\/TEMP\] try again later\r\n$/);
    desk.fail = {};
    assert.match(desk.say(LOGIN), /\+OK 2 messages/);
  });

  test('STLS: TLS begins, what was said in clear is forgotten', () => {
    const desk = new Desk({}, 'clear');
    assert.equal(desk.say('STLS\r\n'), '+OK begin TLS negotiation\r\n');
    assert.deepEqual(desk.events, ['start-tls']);
    assert.doesNotMatch(desk.say('CAPA\r\n'), /STLS/);
    assert.match(desk.say('PASS correct horse \r\n'), /^-ERR USER comes first/);
    assert.match(desk.say('STLS\r\n'), /^-ERR TLS is already there/);
    assert.match(desk.say(LOGIN), /\+OK 2 messages/);
  });

  test('STLS injection: octets behind it are dropped and the connection closes', () => {
    for (const behind of ['CAPA\r\n', 'USER alice\r\nPASS x\r\n', 'C', '\r\n']) {
      const desk = new Desk({}, 'clear');
      const reply = desk.say(`STLS\r\n${behind}`);
      assert.match(reply, /^-ERR nothing may follow STLS[^\r\n]*\r\n$/);
      assert.deepEqual(desk.events, ['close']);
      assert.deepEqual(desk.facts.at(-1), { kind: 'violation', what: 'stls-injection' });
    }
  });

  test('octets that slip in while TLS is negotiated are never read', () => {
    const desk = new Desk({}, 'clear');
    desk.tlsOnStls = undefined;
    desk.say('STLS\r\n');
    assert.equal(desk.say('USER alice\r\nNO'), '');
    desk.perform(desk.machine.secured(TLS));
    assert.match(desk.say('CAPA\r\n'), /^\+OK capabilities/);
  });

  test('STLS with an argument, or without a certificate', () => {
    assert.match(new Desk({}, 'clear').say('STLS x\r\n'), /^-ERR/);
    const without = new Desk({ startTls: false }, 'clear');
    assert.match(without.say('STLS\r\n'), /^-ERR/);
    assert.doesNotMatch(without.say('CAPA\r\n'), /STLS/);
  });
});

/** A whole AUTH exchange; gives the server's last reply. */
function authenticate(desk: Desk, name: string, password: string): string {
  const context = {
    credentials: { login: 'alice', password: new Secret(password) },
    nonce: utf8('client-nonce'),
    secure: TLS,
  };
  const client = chooseSaslClient(['SCRAM-SHA-256-PLUS', name], context, [name]);
  assert.ok(client !== undefined);
  let reply = desk.say(`AUTH ${name}\r\n`);
  for (let turn = 0; turn < 5 && reply.startsWith('+ '); turn += 1) {
    const reaction = client.respond(Buffer.from(reply.slice(2).trim(), 'base64'));
    const line = reaction.kind === 'response' ? encodeBase64(concat([reaction.bytes])) : '*';
    reply = desk.say(`${line}\r\n`);
  }
  return reply;
}
