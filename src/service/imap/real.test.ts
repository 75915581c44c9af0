/** IMAP over real sockets, TLS and the SQLite store, spoken to by imapflow and Python's imaplib. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { ImapFlow } from 'imapflow';
import type { AccountId, SessionId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import { systemRandom } from '#network/random.ts';
import { describe, factsOf } from '#agents/mda.ts';
import { atOnce } from '#base/turns.ts';
import { encodeBase64 } from '#protocol/sasl/base64.ts';
import { chooseSaslClient } from '#protocol/sasl/client.ts';
import { mailboxOf } from '#test/engine/fixture.ts';
import type { TestStore } from '#test/engine/fixture.ts';
import { refusalsOf } from '#test/engine/ledger.ts';
import { LineClient } from '#test/world/line-client.ts';
import { aliceStore, listenFor, PASSWORD } from '#test/world/site.ts';
import { serveImap } from './serve.ts';

const NOTE =
  'From: Ann <ann@a.test>\r\nTo: alice@demo.test\r\nSubject: gr\u00fcn\r\n\r\nA note.\r\n';

suite('imap for real', () => {
  test('imapflow: list, append, fetch, search, flags, move, idle, delete', async (t) => {
    const { it, account, tlsPort } = await serve(t, [NOTE, NOTE]);
    const client = await flow(t, tlsPort);
    const folders = await client.list({ statusQuery: { messages: true, unseen: true } });
    assert.deepEqual(folders.map((folder) => [folder.path, folder.specialUse ?? '']).sort(), [
      ['Archive', '\\Archive'],
      ['Drafts', '\\Drafts'],
      ['INBOX', '\\Inbox'],
      ['Junk', '\\Junk'],
      ['Sent', '\\Sent'],
      ['Trash', '\\Trash'],
    ]);
    const inbox = await client.mailboxOpen('INBOX');
    assert.equal(inbox.exists, 2);
    const large = `Subject: big\r\n\r\n${'0123456789\r\n'.repeat(20_000)}`;
    const appended = await client.append('INBOX', large, ['\\Seen']);
    assert.ok(appended !== false && appended.uid === 3);
    const message = await client.fetchOne('3', {
      uid: true,
      source: true,
      envelope: true,
      bodyStructure: true,
      flags: true,
    });
    assert.ok(message !== false);
    assert.equal(message.envelope?.subject, 'big');
    assert.deepEqual([...(message.flags ?? [])], ['\\Seen']);
    assert.ok(message.source?.equals(Buffer.from(large)));
    assert.deepEqual(await client.search({ subject: 'gr\u00fcn' }, { uid: true }), [1, 2]);
    assert.deepEqual(await client.search({ body: '0123456789' }, { uid: true }), [3]);
    await client.messageFlagsAdd('1', ['\\Flagged', '$Later']);
    assert.deepEqual(await client.search({ keyword: '$Later' }), [1]);
    const moved = await client.messageMove('2', 'Archive');
    assert.ok(moved !== false);
    assert.deepEqual([...(moved.uidMap ?? [])], [[2, 1]]);
    await client.messageDelete('1');
    assert.equal((await client.status('INBOX', { messages: true })).messages, 1);
    const told = new Promise<number>((resolve) => {
      client.once('exists', ({ count }) => resolve(count));
    });
    const idling = client.idle();
    await append(it, account, [NOTE]);
    assert.equal(await told, 2);
    await client.noop();
    await idling;
    await client.mailboxCreate('B\u00fccher/\u{1f600}');
    assert.ok((await client.list()).some((folder) => folder.path === 'B\u00fccher/\u{1f600}'));
    await client.mailboxDelete('B\u00fccher/\u{1f600}');
    await client.logout();
  });

  test('a delivered message reaches an IDLE client in milliseconds', async (t) => {
    const { it, account, tlsPort } = await serve(t, []);
    const client = await loggedIn(t, tlsPort);
    await command(client, 'a SELECT INBOX');
    client.send('b IDLE\r\n');
    assert.equal(await client.line(), '+ idling');
    // The quickest of several: a busy machine may delay one, a poll would delay each.
    const wakes: number[] = [];
    for (let count = 1; count <= 8; count += 1) {
      const before = performance.now();
      await append(it, account, [NOTE]);
      assert.equal(await client.line(), `* ${count} EXISTS`);
      wakes.push(performance.now() - before);
      assert.equal(await client.line(), '* 0 RECENT');
    }
    assert.ok(Math.min(...wakes) < 50, wakes.map((ms) => ms.toFixed(1)).join(' '));
  });

  test('failed logins are in the ledger, under the account that they were for', async (t) => {
    const { it, tlsPort } = await serve(t, []);
    const client = await LineClient.connectTls(tlsPort);
    t.after(() => client.close());
    await client.line();
    for (const login of ['alice', 'alice@demo.test', 'nobody@demo.test']) {
      client.send(`a LOGIN ${login} secret-${login}\r\n`);
      for (let line = await client.line(); line?.startsWith('* ');) line = await client.line();
    }
    client.close();
    const told = { listener: 'imaps', secrets: /secret-/ };
    const refusals = await refusalsOf(it.store, 'alice@demo.test', told);
    assert.deepEqual(
      refusals,
      ['alice', 'alice@demo.test', 'nobody@demo.test'].map((login) => {
        return { rule: 'login', mechanism: 'PLAIN', login };
      }),
    );
  });

  test('what follows STARTTLS is never executed', async (t) => {
    const { port } = await serve(t, []);
    const client = await LineClient.connect(port);
    t.after(() => client.close());
    assert.match((await client.line()) ?? '', /STARTTLS LOGINDISABLED/);
    client.send('a STARTTLS\r\nb CAPABILITY\r\n');
    assert.match((await client.line()) ?? '', /^\* BYE/);
    assert.match((await client.line()) ?? '', /^a BAD/);
    assert.equal(await client.line(), undefined);
  });

  test('SCRAM-SHA-256 by AUTHENTICATE, with and without an initial response', async (t) => {
    const { tlsPort } = await serve(t, []);
    for (const [password, irLine] of [
      [PASSWORD, true],
      [PASSWORD, false],
      ['wrong', true],
    ] as const) {
      const client = await LineClient.connectTls(tlsPort);
      t.after(() => client.close());
      await client.line();
      const credentials = { login: 'alice', password: new Secret(password) };
      const nonce = systemRandom.bytes(24);
      const context = { credentials, secure: undefined, nonce };
      const sasl = chooseSaslClient(['SCRAM-SHA-256'], context);
      assert.ok(sasl?.initial !== undefined);
      const first = encodeBase64(sasl.initial);
      client.send(`a AUTHENTICATE SCRAM-SHA-256${irLine ? ` ${first}` : ''}\r\n`);
      if (!irLine) {
        assert.equal(await client.line(), '+ ');
        client.send(`${first}\r\n`);
      }
      let said = (await client.line()) ?? '';
      while (said.startsWith('+ ')) {
        const reaction = sasl.respond(Buffer.from(said.slice(2), 'base64'));
        client.send(reaction.kind === 'response' ? `${encodeBase64(reaction.bytes)}\r\n` : '*\r\n');
        said = (await client.line()) ?? '';
      }
      const right = password === PASSWORD;
      assert.match(said, right ? /^a OK \[CAPABILITY / : /^a NO \[AUTHENTICATIONFAILED\]/);
      assert.equal(sasl.proven, right);
    }
  });

  test('a client that goes away in the middle of an APPEND leaves nothing on disk', async (t) => {
    const { it, tlsPort } = await serve(t, []);
    const client = await loggedIn(t, tlsPort);
    client.send(
      `a APPEND INBOX {5000000+}\r\nSubject: x\r\n\r\n${'0123456789\r\n'.repeat(100_000)}`,
    );
    const spool = join(it.directory, 'spool');
    await until(() => readdirSync(spool).length === 1);
    client.close();
    await until(() => readdirSync(spool).length === 0);
  });

  test('a large message comes back octet for octet, in parts too', async (t) => {
    const { tlsPort } = await serve(t, []);
    const client = await flow(t, tlsPort);
    const text = `Subject: x\r\n\r\n${Array.from({ length: 60_000 }, (_, at) => `${at}\r\n`).join('')}`;
    await client.append('INBOX', text);
    await client.mailboxOpen('INBOX');
    const whole = await client.fetchOne('1', { source: true });
    assert.ok(whole !== false && whole.source?.toString('latin1') === text);
    const part = await client.fetchOne('1', { source: { start: 100_000, maxLength: 70_000 } });
    assert.ok(part !== false && part.source?.toString('latin1') === text.slice(100_000, 170_000));
  });

  const python = spawnSync('python3', ['-c', 'import imaplib']).status === 0;
  test(
    'Python\u2019s imaplib: STARTTLS, login, select, fetch, search, store',
    { skip: !python },
    async (t) => {
      const { port } = await serve(t, [NOTE, NOTE]);
      const output = await run('python3', ['-c', IMAPLIB, String(port), PASSWORD]);
      assert.deepEqual(JSON.parse(output), {
        exists: '2',
        size: Buffer.byteLength(NOTE),
        search: '1 2',
        flags: '1 (UID 1 FLAGS (\\Seen \\Flagged))',
        expunged: '1',
        left: 'INBOX (MESSAGES 1)',
      });
    },
  );
});

const IMAPLIB = `
import imaplib, ssl, sys, json
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
imap = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
imap.starttls(context)
imap.login('alice', sys.argv[2])
out = {}
out['exists'] = imap.select()[1][0].decode()
out['size'] = len(imap.fetch('1', '(BODY[])')[1][0][1])
out['search'] = imap.search(None, 'ALL')[1][0].decode()
out['flags'] = imap.uid('STORE', '1', '+FLAGS', '(\\\\Flagged)')[1][0].decode()
imap.store('2', '+FLAGS', '(\\\\Deleted)')
imap.uid('MOVE', '2', 'Trash')
out['left'] = imap.status('INBOX', '(MESSAGES)')[1][0].decode()
imap.select('Trash')
out['expunged'] = imap.expunge()[1][0].decode()
imap.logout()
print(json.dumps(out))
`;

interface Server {
  readonly it: TestStore;
  readonly account: AccountId;
  /** STARTTLS. */
  readonly port: number;
  /** TLS from the first octet. */
  readonly tlsPort: number;
}

async function serve(t: TestContext, texts: readonly string[]): Promise<Server> {
  const { it, account } = await aliceStore(t);
  if (texts.length > 0) await append(it, account, texts);
  return {
    it,
    account,
    port: await listen(t, it, 'starttls'),
    tlsPort: await listen(t, it, 'implicit'),
  };
}

async function append(it: TestStore, account: AccountId, texts: readonly string[]): Promise<void> {
  const { id: mailbox } = await mailboxOf(it, account);
  const messages = texts.map((text) => {
    const end = text.indexOf('\r\n\r\n') + 4;
    const content = { head: utf8(text.slice(0, end)), body: utf8(text.slice(end)) };
    const facts = factsOf(atOnce(describe({ content, structure: undefined })));
    return { flags: [], internalDateMs: it.clock.nowMs, content, facts };
  });
  await it.do('append', { mailbox, messages });
}

function listen(t: TestContext, it: TestStore, kind: 'implicit' | 'starttls'): Promise<number> {
  const imap = { name: kind === 'implicit' ? 'imaps' : 'imap', machine: {}, sessionMs: 60_000 };
  return listenFor(t, it, kind, (connection, site) =>
    serveImap(connection, imap, site, 'S' as SessionId, () => {}),
  );
}

async function flow(t: TestContext, port: number): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port,
    secure: true,
    auth: { user: 'alice@demo.test', pass: PASSWORD },
    tls: { rejectUnauthorized: false },
    logger: false,
  });
  t.after(() => client.close());
  await client.connect();
  return client;
}

async function loggedIn(t: TestContext, port: number): Promise<LineClient> {
  const client = await LineClient.connectTls(port);
  t.after(() => client.close());
  await client.line();
  assert.match(await command(client, `l LOGIN alice "${PASSWORD}"`), /^l OK/);
  return client;
}

/** The tagged response; what comes before it is passed over. */
async function command(client: LineClient, line: string): Promise<string> {
  client.send(`${line}\r\n`);
  for (;;) {
    const said = await client.line();
    if (said === undefined || !said.startsWith('*')) return said ?? '';
  }
}

/** Waits for what another part of the process does, a few milliseconds at a time. */
async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 1_000; round++) {
    if (condition()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 3);
    });
  }
  assert.fail('it never happened');
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => errors.push(bytes));
    child.on('close', (code) => {
      if (code === 0) resolve(latin1(Buffer.concat(output)));
      else reject(new Error(latin1(Buffer.concat(errors))));
    });
  });
}
