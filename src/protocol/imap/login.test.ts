/** Logins, STARTTLS, and what a stranger may do: never a password in clear, no endless guessing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBase64 } from '../sasl/base64.ts';
import { Client, play } from './fixture.test.ts';
import { MemoryMail } from './fixture-mail.test.ts';

const b64 = (text: string): string => encodeBase64(Buffer.from(text, 'utf8'));
const RIGHT = b64('\0user\0pencil');
const WRONG = b64('\0user\0pen');

function clear(options = {}): Client {
  return new Client(new MemoryMail(), options, 'clear');
}

test('in clear: STARTTLS and LOGINDISABLED, no mechanism, no login whatever is tried', async () => {
  const client = clear();
  await client.quiet();
  assert.equal(
    client.read(),
    '* OK [CAPABILITY IMAP4rev1 SASL-IR ID ENABLE LITERAL- STARTTLS LOGINDISABLED] ' +
      'IMAP4rev1 service ready\r\n',
  );
  await play(
    client,
    `C: a LOGIN user pencil
     S: a NO [PRIVACYREQUIRED] Logins need TLS: STARTTLS first
     C: b AUTHENTICATE PLAIN ${RIGHT}
     S: b NO [PRIVACYREQUIRED] Logins need TLS: STARTTLS first
     C: c SELECT INBOX
     S: c BAD Log in first`,
  );
  assert.deepEqual(
    client.facts.filter((fact) => fact.kind !== 'completed'),
    [],
  );
});

test('a capability that a client stumbles over can be hidden', async () => {
  const client = new Client(new MemoryMail(), { hiddenCapabilities: ['condstore', 'IDLE'] });
  const said = await client.run('a LOGIN user pencil');
  assert.match(said, /UIDPLUS/);
  assert.doesNotMatch(said, /CONDSTORE|IDLE/);
});

test('no certificate: no STARTTLS', async () => {
  const client = clear({ startTls: false });
  await client.quiet();
  assert.doesNotMatch(client.read(), /STARTTLS/);
  assert.match(await client.run('a STARTTLS'), /^a NO \[UNAVAILABLE\]/);
});

test('STARTTLS, then a login; no second greeting; never twice', async () => {
  const client = clear();
  await client.quiet();
  client.read();
  assert.equal(await client.run('a STARTTLS'), 'a OK Begin the handshake\r\n');
  assert.ok(client.wantsTls);
  await client.secured();
  assert.equal(client.read(), '');
  assert.match(
    await client.run('b CAPABILITY'),
    /^\* CAPABILITY IMAP4rev1 SASL-IR ID ENABLE LITERAL- AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN\r\n|^\* CAPABILITY [^\r]*AUTH=PLAIN/,
  );
  assert.match(await client.run('c STARTTLS'), /^c BAD/);
  assert.match(await client.run('d LOGIN user pencil'), /^d OK \[CAPABILITY /);
});

test('what follows STARTTLS in clear ends the connection (CVE-2021-33515)', async () => {
  for (const injected of ['b CAPABILITY\r\n', 'b LOGIN user pencil\r\n', 'b', '\r\n']) {
    const client = clear();
    await client.quiet();
    client.read();
    await client.send(`a STARTTLS\r\n${injected}`);
    assert.match(client.read(), /^\* BYE .*\r\na BAD [^\r]*\r\n$/);
    assert.ok(client.closed && !client.wantsTls);
  }
  const client = clear();
  assert.match(await client.run('a STARTTLS x'), /a BAD/);
  assert.ok(!client.wantsTls);
});

test('AUTHENTICATE PLAIN: challenge, initial response, cancel, empty, bad base64', async () => {
  await play(
    await fresh(),
    `C: a AUTHENTICATE plain
     S: +${' '}
     C: *
     S: a BAD The login was cancelled
     C: b AUTHENTICATE PLAIN =
     S: b BAD The login is malformed: not authzid NUL authcid NUL password in UTF-8
     C: c AUTHENTICATE PLAIN !!!
     S: c BAD Something follows the arguments
     C: d AUTHENTICATE PLAIN YQ
     S: d BAD The login is malformed: the initial response is no base64
     C: e AUTHENTICATE GSSAPI
     S: e NO [CANNOT] This mechanism is not available`,
  );
  const client = await fresh();
  assert.equal(await client.run('f AUTHENTICATE PLAIN'), '+ \r\n');
  assert.match(await client.run(RIGHT), /^f OK \[CAPABILITY /);
  assert.match(await (await fresh()).run(`g AUTHENTICATE PLAIN ${RIGHT}`), /^g OK/);
});

test('a response that is too long ends the connection', async () => {
  const client = await fresh();
  await client.run('a AUTHENTICATE PLAIN', 'A'.repeat(20_000));
  assert.ok(client.closed);
});

test('LOGIN with literals, 8-bit, quoted specials; what is no text is BAD', async () => {
  const client = await fresh();
  assert.equal(await client.run('a LOGIN {4}'), '+ Ready for the literal\r\n');
  assert.equal(await client.run('user {6}'), '+ Ready for the literal\r\n');
  assert.match(await client.run('pencil'), /^a OK/);
  const malformed = ['user', 'user pen cil', '"user pencil', '{4+}\r\nuse\0 pencil', '(user) x'];
  for (const one of malformed) {
    assert.match(await (await fresh()).run(`a LOGIN ${one}`, 'b NOOP'), /^a BAD .*\r\nb OK/s, one);
  }
});

test('wrong passwords and unknown users: the same words; then the end', async () => {
  const client = await fresh({ loginFailures: 3 });
  const wrong = await client.run('a LOGIN user wrong');
  assert.equal(wrong, 'a NO [AUTHENTICATIONFAILED] The login name or the password is wrong\r\n');
  assert.equal(await client.run('a LOGIN nobody wrong'), wrong);
  assert.equal(
    await client.run(`a AUTHENTICATE PLAIN ${WRONG}`),
    `* BYE Too many failed logins\r\n${wrong}`,
  );
  assert.ok(client.closed);
  const failures = client.facts.filter((fact) => fact.kind === 'login-failed');
  assert.deepEqual(
    failures.map((fact) => fact.login),
    ['user', 'nobody', 'user'],
  );
});

test('a login that cannot be checked is UNAVAILABLE and does not count', async () => {
  const client = await fresh({ loginFailures: 2 });
  for (let at = 0; at < 4; at++) {
    assert.match(await client.run('a LOGIN broken x'), /^a NO \[UNAVAILABLE\]/);
  }
  assert.match(await client.run('b LOGIN user pencil'), /^b OK/);
});

test('HTTP and TLS in clear end the session: what follows them is no command', async () => {
  for (const foreign of ['POST / HTTP/1.1', 'GET /a HTTP/1.0', '\x16\x03\x01\x02']) {
    const client = await fresh();
    assert.equal(await client.run(foreign, 'a1 CAPABILITY'), '* BYE This is IMAP\r\n');
    assert.ok(client.closed);
  }
  assert.match(await (await fresh()).run('POST NOOP'), /^POST OK/, 'a tag may be any word');
});

test('limits before the login: commands, errors, octets, time', async () => {
  const many = await fresh({ commandsBeforeLogin: 5 });
  assert.match(
    await many.run(...Array.from({ length: 10 }, () => 'a NOOP')),
    /BYE Too many commands/,
  );
  assert.ok(many.closed);
  const wrong = await fresh({ errors: 3 });
  assert.match(
    await wrong.run(...Array.from({ length: 10 }, () => 'nonsense')),
    /BYE Too many errors/,
  );
  assert.ok(wrong.closed);
  const parentheses = await fresh();
  assert.match(
    await parentheses.run(`a LOGIN ${'('.repeat(8_000)}`, 'b NOOP'),
    /^a BAD .*\r\nb OK/,
  );
  const long = await fresh();
  assert.match(
    await long.run(`a LOGIN ${'('.repeat(50_000)}`, 'b NOOP'),
    /^a BAD The command is too long\r\nb OK/,
  );
  const huge = await fresh();
  await huge.send(`a LOGIN ${'('.repeat(1_000_000)}`);
  assert.match(huge.read(), /BYE The line does not end/);
  assert.ok(huge.closed);
  const idle = await fresh();
  assert.equal(idle.deadlineMs, 63_000);
  assert.equal(await idle.happens('expired'), '* BYE Too long without a command\r\n');
  assert.ok(idle.closed);
});

test('commands of the wrong phase are BAD before they are read', async () => {
  const client = await fresh();
  for (const command of ['SELECT INBOX', 'APPEND INBOX {3+}\r\nabc', 'IDLE', 'UID FETCH 1 FLAGS']) {
    assert.match(await client.run(`a ${command}`, 'b NOOP'), /^a BAD Log in first\r\nb OK/);
  }
});

async function fresh(options = {}): Promise<Client> {
  const client = new Client(new MemoryMail(), options);
  await client.quiet();
  client.read();
  return client;
}
