/** Hostile input on the POP3 ports, before and after the login: an answer, and nothing deleted. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import { WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start();
  for (const n of [1, 2, 3]) await server.deliver(`Subject: mail ${n}\r\n\r\n..dot ${n}`);
});

after(async () => {
  assert.equal(await server.count(), 3);
  await server.isAlive();
  await server.stop();
});

const TRANSACTION: readonly (readonly [string, RegExp])[] = [
  ['RETR 0', /^-ERR/],
  ['RETR -1', /^-ERR/],
  ['RETR 4', /^-ERR/],
  ['RETR 18446744073709551616', /^-ERR/],
  ['RETR 1e0', /^-ERR/],
  ['RETR 01 x', /^-ERR/],
  ['RETR', /^-ERR/],
  ['RETR \0', /^-ERR/],
  ['TOP 1', /^-ERR/],
  ['TOP 1 -1', /^-ERR/],
  ['DELE 1 2', /^-ERR/],
  ['DELE __proto__', /^-ERR/],
  ['LIST 0', /^-ERR/],
  ['UIDL 99', /^-ERR/],
  ['USER again', /^-ERR/],
  ['PASS again', /^-ERR/],
  ['AUTH PLAIN', /^-ERR/],
  ['STLS', /^-ERR/],
  ['APOP ann 0123', /^-ERR/],
  ['XYZZY', /^-ERR/],
  ['', /^-ERR/],
  ['\xff\xfe', /^-ERR/],
  ['LANG *', /^-ERR/],
  ['UTF8', /^-ERR/],
];

const STRANGER: readonly (readonly [string, RegExp])[] = [
  ['RETR 1', /^-ERR/],
  ['DELE 1', /^-ERR/],
  ['STAT', /^-ERR/],
  ['PASS x', /^-ERR/],
  ['USER', /^-ERR/],
  ['USER a\0b', /^-ERR/],
  ['AUTH XYZZY', /^-ERR/],
  ['AUTH PLAIN ====', /^-ERR/],
  ['APOP ann 0123', /^-ERR/],
];

test('what a logged-in client gets wrong is answered, and the next command is read', async () => {
  const client = await server.pop3();
  for (const [command, expected] of TRANSACTION) {
    assert.match(await ask(client, command), expected, JSON.stringify(command));
    assert.match(await ask(client, 'NOOP'), /^\+OK/, JSON.stringify(command));
  }
  client.send('TOP 1 99999999999\r\nNOOP\r\n');
  const lines: string[] = [];
  for (let line = await client.line(); line !== '.'; line = await client.line()) {
    lines.push(line ?? assert.fail('closed'));
  }
  assert.equal(lines.at(-1), '..dot 1');
  assert.match((await client.line()) ?? '', /^\+OK/);
  client.close();
});

for (const name of ['pop3', 'pop3s']) {
  test(`what a stranger gets wrong on ${name} is answered`, async () => {
    const client = await server.open(name);
    for (const [command, expected] of STRANGER) {
      assert.match(await ask(client, command), expected, JSON.stringify(command));
      client.send('CAPA\r\n');
      for (let line = await client.line(); line !== '.'; line = await client.line()) {
        assert.notEqual(line, undefined, JSON.stringify(command));
      }
    }
    client.close();
  });

  test(`lines without end, bare LF and half commands on ${name}`, async () => {
    for (const fatal of [`USER ${'x'.repeat(1_000_000)}`, 'CAPA\nUSER x\n']) {
      const client = await server.open(name);
      await client.pour(fatal);
      const lines = await client.rest();
      assert.match(lines[0] ?? '', /^-ERR/, fatal.slice(0, 10));
    }
    const client = await server.open(name);
    client.send('QUI');
    client.end();
    assert.doesNotMatch((await client.rest()).join('|'), /\+OK/);
  });
}

test('a name that nobody can have is a wrong login, in the words of any other', async () => {
  const answers = new Set<string>();
  for (const name of ['nobody', 'a\x1b[2Jb', '\xff\xfe', "x' OR '1'='1", '__proto__']) {
    const client = await server.open('pop3s');
    assert.match(await ask(client, `USER ${name}`), /^\+OK/);
    answers.add(await ask(client, 'PASS x'));
    client.close();
  }
  assert.equal(answers.size, 1, [...answers].join(' | '));
  assert.match([...answers][0]!, /^-ERR \[AUTH\]/);
});

test('DELE without QUIT deletes nothing: closed, reset, or stopped half way through a command', async () => {
  for (const how of ['close', 'reset', 'half'] as const) {
    const client = await unlocked();
    for (const n of [1, 2, 3]) assert.match(await ask(client, `DELE ${n}`), /^\+OK/);
    if (how === 'half') {
      client.send('QUIT');
      client.end();
      await client.rest();
    } else client[how]();
    // The lock of the maildrop is gone with the connection.
    const next = await unlocked();
    assert.match(await ask(next, 'STAT'), /^\+OK 3 /);
    next.close();
  }
});

/** Logged in, as soon as the session before has let go. */
async function unlocked(): Promise<LineClient> {
  let client: LineClient | undefined;
  await waitFor(async () => {
    client = await server.pop3().catch(() => undefined);
    return client !== undefined;
  }, 2_000);
  return client ?? assert.fail('the maildrop stays locked');
}

async function ask(client: LineClient, line: string): Promise<string> {
  client.send(`${line}\r\n`);
  return (await client.line()) ?? 'closed';
}
