/** Two IMAP sessions on one mailbox of a running server, and what mailboxes may be called. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { run, without } from '../interop/tools.ts';
import type { LineClient } from '../world/line-client.ts';
import { PASSWORD, WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start();
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

/** One command; its untagged lines and the tagged one, which must be OK. */
async function say(client: LineClient, command: string): Promise<string> {
  const lines = await client.tagged('t', command);
  assert.match(lines.at(-1) ?? 'closed', /^t OK/, command.slice(0, 100));
  return lines.join('\n');
}

/** A literal. */
function utf8(text: string): string {
  const octets = Buffer.from(text).toString('latin1');
  return `{${octets.length}+}\r\n${octets}`;
}

/** A fresh mailbox with so many messages, and two sessions that have selected it. */
async function pair(name: string, count: number): Promise<[LineClient, LineClient]> {
  const [one, two] = [await server.imap(), await server.imap()];
  await say(one, `CREATE ${name}`);
  for (let n = 1; n <= count; n += 1) {
    const text = `Subject: m${n}\r\n\r\nbody of ${n}\r\n`;
    await say(one, `APPEND ${name} {${text.length}+}\r\n${text}`);
  }
  for (const client of [one, two]) await say(client, `SELECT ${name}`);
  return [one, two];
}

test('each is told what the other does: flags, new mail, expunges', async () => {
  const [one, two] = await pair('told', 3);
  await say(one, 'STORE 2 +FLAGS (\\Flagged $Label)');
  assert.match(await say(two, 'NOOP'), /^\* 2 FETCH \([^\n]*FLAGS \([^)]*\\Flagged/m);
  await say(one, 'APPEND told {4+}\r\na: b');
  assert.match(await say(two, 'NOOP'), /^\* 4 EXISTS$/m);
  await say(one, 'STORE 1,3 +FLAGS (\\Deleted)');
  await say(one, 'EXPUNGE');
  const news = await say(two, 'NOOP');
  // In whatever order: each number counts after those before it.
  const left = [1, 2, 3, 4];
  for (const [, number] of news.matchAll(/^\* (\d+) EXPUNGE$/gm))
    left.splice(Number(number) - 1, 1);
  assert.deepEqual(left, [2, 4], news);
  assert.match(await say(two, 'FETCH 1:* UID'), /\* 1 FETCH \(UID 2\)\n\* 2 FETCH \(UID 4\)/);
  one.close();
  two.close();
});

test('what was expunged elsewhere can be read until it is told', async () => {
  const [one, two] = await pair('ghost', 2);
  await say(one, 'STORE 1 +FLAGS (\\Deleted)');
  await say(one, 'EXPUNGE');
  const text = await say(two, 'FETCH 1 (UID BODY.PEEK[])');
  assert.match(text, /Subject: m1[\s\S]*body of 1/);
  assert.doesNotMatch(text, /EXPUNGE/);
  await say(two, 'STORE 1 +FLAGS (\\Seen)');
  assert.match(await say(two, 'NOOP'), /^\* 1 EXPUNGE$/m);
  assert.match(await say(two, 'FETCH 1 (UID)'), /UID 2/);
  one.close();
  two.close();
});

test('STORE and EXPUNGE in one packet do not overtake each other', async () => {
  const [one, two] = await pair('order', 20);
  let packet = '';
  for (let n = 20; n >= 1; n -= 1) {
    packet += `s${n} STORE ${n} +FLAGS.SILENT (\\Deleted)\r\ne${n} EXPUNGE\r\n`;
  }
  one.send(`${packet}z SEARCH ALL\r\n`);
  const lines: string[] = [];
  while (lines.at(-1)?.startsWith('z ') !== true) lines.push((await one.line()) ?? assert.fail());
  assert.deepEqual(
    lines.filter((line) => /^[se]\d/.test(line)).map((line) => line.split(' ')[1]),
    Array.from({ length: 40 }, () => 'OK'),
  );
  assert.equal(lines.filter((line) => line.endsWith('EXPUNGE')).length, 20);
  assert.match(lines.join('\n'), /^\* SEARCH$/m);
  assert.equal((await say(two, 'NOOP')).match(/EXPUNGE$/gm)?.length, 20);
  one.close();
  two.close();
});

test('MOVE from both sides at once: each message is in one place', async () => {
  const [one, two] = await pair('from', 10);
  await say(one, 'CREATE into');
  one.send('a UID MOVE 1:10 into\r\n');
  two.send('b UID MOVE 1:10 into\r\n');
  const answers: string[] = [];
  for (const [client, tag] of [
    [one, 'a'],
    [two, 'b'],
  ] as const) {
    for (;;) {
      const line = (await client.line()) ?? assert.fail();
      answers.push(line);
      if (line.startsWith(`${tag} `)) break;
    }
  }
  assert.match(answers.join('\n'), /COPYUID \d+ 1:10 1:10/);
  const status = await say(one, 'STATUS into (MESSAGES UIDNEXT)');
  assert.match(status, /MESSAGES 10\b/);
  assert.match(status, /UIDNEXT 11\b/);
  assert.match(await say(two, 'STATUS from (MESSAGES)'), /MESSAGES 0/);
  one.close();
  two.close();
});

test('UIDVALIDITY changes when a mailbox of that name is made anew, and UIDs never come again', async () => {
  const client = await server.imap();
  const seen = new Set<string>();
  for (let n = 0; n < 4; n += 1) {
    await say(client, 'CREATE again');
    const answer = await say(client, 'APPEND again {4+}\r\na: b');
    seen.add(/APPENDUID (\d+) 1\]/.exec(answer)?.[1] ?? answer);
    await say(client, 'DELETE again');
  }
  assert.equal(seen.size, 4, [...seen].join(' '));
  await say(client, 'CREATE again');
  for (const uid of [1, 2]) {
    assert.match(
      await say(client, 'APPEND again {4+}\r\na: b'),
      new RegExp(`APPENDUID \\d+ ${uid}\\]`),
    );
    await say(client, 'SELECT again');
    await say(client, 'STORE 1 +FLAGS (\\Deleted)');
    await say(client, 'CLOSE');
  }
  assert.match(
    await say(client, 'STATUS again (MESSAGES UIDNEXT)'),
    /MESSAGES 0 UIDNEXT 3|UIDNEXT 3/,
  );
  client.close();
});

test('a mailbox that is deleted or renamed under a session', async () => {
  const [one, two] = await pair('doomed', 1);
  await say(one, 'UNSELECT');
  await say(one, 'RENAME doomed renamed');
  assert.match(await say(two, 'FETCH 1 UID'), /UID 1/);
  await say(one, 'DELETE renamed');
  two.send('n NOOP\r\n');
  assert.match((await two.rest()).join('|'), /\* BYE/);
  one.close();
});

test('names: nested, overlapping, mUTF-7, INBOX in any case, subscriptions that outlive', async () => {
  const client = await server.imap();
  for (const name of [
    'deep/a/b/c',
    'deep/a',
    'Deep',
    'INBOX/sub',
    '"with space & more"'.replace('&', '&-'),
  ]) {
    const lines = await client.tagged('t', `CREATE ${name}`);
    assert.match(lines.at(-1)!, name === 'deep/a' ? /^t NO/ : /^t OK/, name);
  }
  // Straße, 日本, an emoji beyond the first plane.
  for (const name of ['Stra&AN8-e', '&ZeVnLA-', '&2D3eAA-']) {
    await say(client, `CREATE "${name}"`);
    assert.ok((await say(client, `LIST "" "${name}"`)).includes(name));
    await say(client, `SELECT "${name}"`);
    await say(client, 'CLOSE');
  }
  assert.match(await say(client, 'LIST "" inbox'), /^\* LIST \([^)]*\) "\/" "?INBOX"?$/m);
  assert.match(await say(client, 'STATUS iNbOx/sub (MESSAGES)'), /INBOX\/sub/);
  const some = await say(client, 'LIST "deep/" "%"');
  assert.match(some, /deep\/a\b/);
  assert.doesNotMatch(some, /deep\/a\/b/);
  await say(client, 'SUBSCRIBE deep/a/b/c');
  await say(client, 'DELETE deep/a/b/c');
  assert.match(await say(client, 'LSUB "" "*"'), /deep\/a\/b\/c/);
  assert.match(await say(client, 'LIST (SUBSCRIBED) "" "*"'), /\\NonExistent[^\n]*deep\/a\/b\/c/);
  await say(client, 'UNSUBSCRIBE deep/a/b/c');
  client.close();
});

test('APPEND with wrong line ends, with 8-bit and at once: what comes back is clean', async () => {
  const client = await server.imap();
  await say(client, 'CREATE ends');
  const wrong = 'Subject: ends\n\nline one\nline two\rline three\r\n\r';
  await say(
    client,
    `APPEND ends (\\Seen) " 7-Feb-2020 01:02:03 +0100" {${wrong.length}+}\r\n${wrong}`,
  );
  await say(client, 'SELECT ends');
  const text = await say(client, 'FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])');
  assert.match(text, /INTERNALDATE "07-Feb-2020 0[01]:02:03 \+0[01]00"| 7-Feb-2020/);
  assert.match(text, /Subject: ends\n\nline one\nline two\nline three\n/);
  assert.doesNotMatch(text, /\r/);
  client.close();
});

test('SEARCH with CHARSET finds what is encoded, and counts what there is', async () => {
  const client = await server.imap();
  await say(client, 'CREATE find');
  const body = Buffer.from('Grüße aus Köln').toString('base64');
  const mail = `Subject: =?utf-8?b?${Buffer.from('Größe').toString('base64')}?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${body}\r\n`;
  await say(client, `APPEND find {${mail.length}+}\r\n${mail}`);
  await say(client, 'SELECT find');
  for (const [key, found] of [
    [`SUBJECT ${utf8('GRÖßE')}`, true],
    [`BODY ${utf8('köln')}`, true],
    [`TEXT ${utf8('Bonn')}`, false],
    [`NOT BODY ${utf8('grüße')}`, false],
  ] as const) {
    const answer = await say(client, `SEARCH CHARSET UTF-8 ${key}`);
    assert.match(answer, found ? /^\* SEARCH 1$/m : /^\* SEARCH$/m, key);
  }
  client.close();
});

test(
  'Python’s imaplib, two of it on one mailbox, agrees',
  { skip: without('python3') },
  async () => {
    const script = `
import imaplib, ssl, sys
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
def box():
    one = imaplib.IMAP4_SSL('127.0.0.1', int(sys.argv[1]), ssl_context=context)
    one.login(sys.argv[2], sys.argv[3])
    return one
a, b = box(), box()
a.create('shared')
for n in range(5):
    assert a.append('shared', None, None, b'Subject: %d\\r\\n\\r\\nx' % n)[0] == 'OK'
for one in (a, b):
    assert one.select('shared') == ('OK', [b'5'])
a.store('2:3', '+FLAGS', r'(\\Deleted)')
assert sorted(a.expunge()[1]) in ([b'2', b'2'], [b'2', b'3'])
status, data = b.fetch('2', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
assert status == 'OK' and b'Subject: 1' in data[0][1], data
b.noop()
assert sorted(b.response('EXPUNGE')[1]) in ([b'2', b'2'], [b'2', b'3'])
assert b.search(None, 'ALL') == ('OK', [b'1 2 3'])
assert b.uid('SEARCH', None, 'ALL') == ('OK', [b'1 4 5'])
assert a.status('shared', '(MESSAGES UIDNEXT)')[1] == [b'shared (MESSAGES 3 UIDNEXT 6)']
a.logout(); b.logout(); print('agreed')
`;
    const args = ['-c', script, String(server.port('imaps')), server.users[1]!, PASSWORD];
    const { code, output } = await run('python3', args);
    assert.equal(code, 0, output);
    assert.match(output, /agreed/);
  },
);
