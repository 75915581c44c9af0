/** Every POP3 capability, in each state, is used; one that this table does not know fails. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LineClient } from '../world/line-client.ts';
import { announcedByReadme } from '../world/readme.ts';
import { saslLogin } from '../world/sasl.ts';
import { PASSWORD, WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start();
  for (const n of [1, 2, 3]) {
    const content = `Subject: mail ${n}\r\n\r\nbody ${n}\r\nmore`;
    assert.match(await server.deliver(content, 1), /^250/);
  }
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

/** What proves a capability; the text is what stands behind it. */
const POP3 = new Map<string, (value: string) => Promise<void>>([
  ['AUTH-RESP-CODE', authCode],
  ['EXPIRE', expire],
  ['PIPELINING', pop3Pipelining],
  ['RESP-CODES', respCodes],
  ['SASL', pop3Auth],
  ['STLS', stls],
  ['TOP', top],
  ['UIDL', uidl],
  ['USER', async () => (await server.pop3(1)).close()],
]);

test('every POP3 capability is real', async () => {
  const used = new Set<string>();
  for (const [state, lines] of await pop3States()) {
    for (const line of lines) {
      const [keyword = '', ...rest] = line.split(' ');
      const proof = POP3.get(keyword);
      assert.ok(proof, `POP3 announces ${line} (${state}), and nothing here proves it`);
      used.add(keyword);
      await proof(rest.join(' '));
    }
  }
  assert.deepEqual([...POP3.keys()], [...used].toSorted(byOctets));
  assert.deepEqual(announcedByReadme('CAPA'), [...used].toSorted(byOctets));
});

async function pop3States(): Promise<[string, string[]][]> {
  const states: [string, string[]][] = [];
  const client = await server.open('pop3');
  states.push(['clear', await capa(client)]);
  client.send('STLS\r\n');
  assert.match((await client.line()) ?? '', /^\+OK/);
  await client.startTls();
  states.push(['after STLS', await capa(client)]);
  client.close();
  const user = await server.pop3(1);
  states.push(['logged in', await capa(user)]);
  await quit(user);
  return states;
}

async function capa(client: LineClient): Promise<string[]> {
  client.send('CAPA\r\n');
  return list(client);
}

function byOctets(a: string, b: string): number {
  return a < b ? -1 : 1;
}

async function ask(client: LineClient, line: string): Promise<string> {
  client.send(`${line}\r\n`);
  return (await client.line()) ?? 'closed';
}

/** The lines after +OK, up to the dot. */
async function list(client: LineClient): Promise<string[]> {
  assert.match((await client.line()) ?? '', /^\+OK/);
  const lines: string[] = [];
  for (let line = await client.line(); line !== '.'; line = await client.line()) {
    lines.push(line ?? assert.fail('closed'));
  }
  return lines;
}

async function quit(client: LineClient): Promise<void> {
  assert.match(await ask(client, 'QUIT'), /^\+OK/);
  assert.equal(await client.line(), undefined);
}

async function top(): Promise<void> {
  const client = await server.pop3(1);
  client.send('TOP 1 1\r\n');
  const lines = await list(client);
  assert.deepEqual(lines.slice(lines.indexOf('')), ['', 'body 1']);
  await quit(client);
}

async function uidl(): Promise<void> {
  const ids: string[][] = [];
  for (let session = 0; session < 2; session += 1) {
    const client = await server.pop3(1);
    client.send('UIDL\r\n');
    ids.push(await list(client));
    assert.match(await ask(client, 'UIDL 1'), /^\+OK 1 \S+$/);
    await quit(client);
  }
  assert.equal(ids[0]?.length, 3);
  assert.deepEqual(ids[0], ids[1]);
}

async function pop3Pipelining(): Promise<void> {
  const client = await server.open('pop3s');
  client.send(`USER ${server.users[1]}\r\nPASS ${PASSWORD}\r\nSTAT\r\nNOOP\r\nRETR 1\r\nQUIT\r\n`);
  const answers = (await client.rest()).filter((line) => /^(?:\+OK|-ERR)/.test(line));
  assert.equal(answers.length, 6);
  assert.ok(
    answers.every((line) => line.startsWith('+OK')),
    answers.join('|'),
  );
}

async function respCodes(): Promise<void> {
  const first = await server.pop3(1);
  const second = await server.open('pop3s');
  await ask(second, `USER ${server.users[1]}`);
  assert.match(await ask(second, `PASS ${PASSWORD}`), /^-ERR \[IN-USE\]/);
  second.close();
  await quit(first);
}

async function authCode(): Promise<void> {
  const client = await server.open('pop3s');
  await ask(client, `USER ${server.users[1]}`);
  assert.match(await ask(client, 'PASS wrong'), /^-ERR \[AUTH\]/);
  client.close();
}

async function expire(value: string): Promise<void> {
  assert.equal(value, 'NEVER');
  for (let session = 0; session < 2; session += 1) {
    const client = await server.pop3(1);
    client.send('RETR 1\r\n');
    assert.ok((await list(client)).includes('body 1'));
    await quit(client);
  }
}

async function pop3Auth(value: string): Promise<void> {
  const names = value.split(' ');
  assert.deepEqual(names.toSorted(), ['LOGIN', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']);
  for (const name of names) {
    const client = await server.open('pop3s');
    const login = { user: server.users[1]!, password: PASSWORD };
    assert.match(await saslLogin(client, 'pop3', name, login), /^\+OK 3 /, name);
    await quit(client);
  }
}

async function stls(): Promise<void> {
  const client = await server.open('pop3');
  assert.match(await ask(client, 'STLS'), /^\+OK/);
  await client.startTls();
  assert.match(await ask(client, 'STLS'), /^-ERR/);
  client.close();
}
