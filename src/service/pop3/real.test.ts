/** POP3 over real sockets, TLS and the SQLite store, spoken to by our client and by Python's. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SessionId } from '#base/brand.ts';
import { contentOf, mailboxOf, messageOf } from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';
import { refusalsOf } from '#test/engine/ledger.ts';
import { LineClient } from '#test/world/line-client.ts';
import { aliceStore, listenFor, PASSWORD } from '#test/world/site.ts';
import type { Pop3Listener } from './listener.ts';
import { MaildropLocks } from './locks.ts';
import { servePop3 } from './serve.ts';

const LARGE = `${'.'.repeat(70)}\r\n`.repeat(20_000);

interface Server {
  readonly it: TestStore;
  /** STLS. */
  readonly port: number;
  /** TLS from the first octet. */
  readonly tlsPort: number;
}

suite('pop3 for real', () => {
  test('STLS, login, a large message intact, DELE, QUIT; then it is gone for good', async (t) => {
    const { it, port } = await serve(t, [contentOf(LARGE, 'large'), contentOf('small\r\n')]);
    const client = await LineClient.connect(port);
    t.after(() => client.close());
    assert.match((await client.line()) ?? '', /^\+OK mx\.demo\.test POP3 ready$/);
    assert.match(await say(client, 'USER alice'), /^-ERR not without TLS/);
    assert.match(await say(client, 'STLS'), /^\+OK/);
    await client.startTls();
    assert.match(await say(client, 'USER alice'), /^\+OK/);
    assert.match(await say(client, `PASS ${PASSWORD}`), /^\+OK 2 messages/);
    assert.match(await say(client, 'RETR 1'), /^\+OK \d+ octets$/);
    const lines = await multiline(client);
    assert.equal(`${lines.join('\r\n')}\r\n`, `Subject: large\r\n\r\n${LARGE}`);
    assert.match(await say(client, 'DELE 1'), /^\+OK/);
    assert.match(await say(client, 'QUIT'), /^\+OK goodbye, 1 removed$/);
    assert.equal(await client.line(), undefined);
    const again = await openTls(t, await listen(t, it, new MaildropLocks(), 'implicit'));
    assert.match(await say(again, 'UIDL'), /^\+OK 1 messages/);
    assert.deepEqual((await multiline(again)).length, 1);
  });

  test('commands behind STLS are never executed, and the connection ends', async (t) => {
    const { port } = await serve(t, []);
    const client = await LineClient.connect(port);
    t.after(() => client.close());
    await client.line();
    client.send('STLS\r\nCAPA\r\n');
    assert.match((await client.line()) ?? '', /^-ERR nothing may follow STLS/);
    assert.equal(await client.line(), undefined);
  });

  test('a session whose socket breaks leaves no lock', async (t) => {
    const { tlsPort } = await serve(t, [contentOf()]);
    const first = await openTls(t, tlsPort);
    assert.match(await say(first, 'DELE 1'), /^\+OK/);
    const second = await LineClient.connectTls(tlsPort);
    t.after(() => second.close());
    await second.line();
    await say(second, 'USER alice');
    assert.match(await say(second, `PASS ${PASSWORD}`), /^-ERR \[IN-USE\]/);
    first.close();
    let reply = '';
    for (let round = 0; round < 100 && !reply.startsWith('+OK'); round += 1) {
      await say(second, 'USER alice');
      reply = await say(second, `PASS ${PASSWORD}`);
    }
    assert.match(reply, /^\+OK 1 messages/);
  });

  test('failed logins are in the ledger, under the account that they were for', async (t) => {
    const { it, tlsPort } = await serve(t, []);
    const client = await LineClient.connectTls(tlsPort);
    t.after(() => client.close());
    await client.line();
    for (const password of ['wrong', 'wronger']) {
      await say(client, 'USER alice');
      assert.match(await say(client, `PASS ${password}`), /^-ERR \[AUTH\]/);
    }
    assert.match(await say(client, 'QUIT'), /^\+OK/);
    assert.equal(await client.line(), undefined);
    const told = { listener: 'pop3', secrets: /wrong/ };
    const refusals = await refusalsOf(it.store, 'alice@demo.test', told);
    const failed = { rule: 'login', mechanism: 'PASS', login: 'alice' };
    assert.deepEqual(refusals, [failed, failed]);
  });

  const python = spawnSync('python3', ['-c', 'import poplib']).status === 0;
  test(
    'Python’s poplib: capa, login, list, uidl, top, retr, dele',
    { skip: !python },
    async (t) => {
      const { tlsPort } = await serve(t, [contentOf('.dot\r\n..\r\n'), contentOf('b\r\n', 'two')]);
      const output = await run('python3', ['-c', POPLIB, String(tlsPort), PASSWORD]);
      assert.deepEqual(JSON.parse(output), {
        stat: [2, 47],
        list: ['1 28', '2 19'],
        uidl: 2,
        top: ['Subject: hello', '', '.dot'],
        retr: ['Subject: hello', '', '.dot', '..'],
        left: 1,
        sasl: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN'],
      });
    },
  );
});

const POPLIB = `
import poplib, ssl, sys, json
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
def login():
    pop = poplib.POP3_SSL('127.0.0.1', int(sys.argv[1]), context=context, timeout=10)
    return pop
pop = login()
out = {'sasl': pop.capa()['SASL']}
pop.user('alice'); pop.pass_(sys.argv[2])
text = lambda lines: [line.decode() for line in lines]
out['stat'] = pop.stat()
out['list'] = text(pop.list()[1])
out['uidl'] = len(pop.uidl()[1])
out['top'] = text(pop.top(1, 1)[1])
out['retr'] = text(pop.retr(1)[1])
pop.dele(1)
pop.quit()
pop = login()
pop.user('alice@demo.test'); pop.pass_(sys.argv[2])
out['left'] = pop.stat()[0]
pop.quit()
print(json.dumps(out))
`;

/** A store with alice's mail, and both kinds of port in front of it. */
async function serve(t: TestContext, contents: ReturnType<typeof contentOf>[]): Promise<Server> {
  const { it, account } = await aliceStore(t);
  const { id: mailbox } = await mailboxOf(it, account);
  const messages = contents.map((content) => messageOf({ content }));
  if (messages.length > 0) await it.do('append', { mailbox, messages });
  const locks = new MaildropLocks();
  const tlsPort = await listen(t, it, locks, 'implicit');
  return { it, port: await listen(t, it, locks, 'starttls'), tlsPort };
}

function listen(
  t: TestContext,
  it: TestStore,
  locks: MaildropLocks,
  kind: 'implicit' | 'starttls',
): Promise<number> {
  const pop3: Pop3Listener = { name: 'pop3', machine: {}, locks, sessionMs: 60_000 };
  return listenFor(t, it, kind, (connection, site) =>
    servePop3(connection, pop3, site, 'S' as SessionId, () => {}),
  );
}

/** A client that is logged in. */
async function openTls(t: TestContext, port: number): Promise<LineClient> {
  const client = await LineClient.connectTls(port);
  t.after(() => client.close());
  await client.line();
  await say(client, 'USER alice');
  assert.match(await say(client, `PASS ${PASSWORD}`), /^\+OK/);
  return client;
}

async function say(client: LineClient, line: string): Promise<string> {
  client.send(`${line}\r\n`);
  return (await client.line()) ?? '';
}

/** The lines of a multi-line response, byte-stuffing undone. */
async function multiline(client: LineClient): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const line = await client.line();
    if (line === undefined || line === '.') return lines;
    lines.push(line.startsWith('.') ? line.slice(1) : line);
  }
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(errors))));
  });
}
