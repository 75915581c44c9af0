/** Every EHLO keyword of every listener is used; one that this table does not know fails. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import { announcedByReadme } from '../world/readme.ts';
import { saslLogin } from '../world/sasl.ts';
import { PASSWORD, SMTP_PORTS, type SmtpPort, WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start({
    settings: 'smtpd_recipient_limit = 100\nmessage_size_limit = "100K"',
  });
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

/** What proves a keyword; `text` is what stands behind it. */
const PROOFS = new Map<string, (port: SmtpPort, text: string) => Promise<void>>([
  ['8BITMIME', eightBit],
  ['AUTH', auth],
  ['BINARYMIME', binary],
  ['CHUNKING', chunking],
  ['DSN', notices],
  ['ENHANCEDSTATUSCODES', enhanced],
  ['LIMITS', limits],
  ['PIPELINING', pipelining],
  ['REQUIRETLS', requireTls],
  ['SIZE', size],
  ['SMTPUTF8', internationalized],
  ['STARTTLS', startTls],
]);

const used = new Set<string>();

for (const port of SMTP_PORTS) {
  test(`every keyword of ${port} is real`, async () => {
    for (const [state, client] of await states(port)) {
      const keywords = await hello(client, port);
      client.close();
      for (const [keyword, text] of keywords) {
        const proof = PROOFS.get(keyword);
        assert.ok(proof, `${port} announces ${keyword} (${state}), and nothing here proves it`);
        used.add(keyword);
        await proof(port, text);
      }
    }
  });
}

test('AUTH and STARTTLS are announced where they are possible, and nowhere else', async () => {
  const announced: string[] = [];
  for (const port of SMTP_PORTS) {
    for (const [state, client] of await states(port)) {
      const keywords = await hello(client, port);
      const some = ['AUTH', 'STARTTLS'].filter((name) => keywords.has(name));
      announced.push(`${port} ${state}: ${some.join(' ')}`);
      client.close();
    }
  }
  assert.deepEqual(announced, [
    'smtp clear: STARTTLS',
    'smtp tls: ',
    'submission clear: STARTTLS',
    'submission tls: AUTH',
    'submission logged in: AUTH',
    'submissions tls: AUTH',
    'submissions logged in: AUTH',
    'lmtp clear: ',
  ]);
});

test('the table has nothing that is not announced', () => {
  assert.deepEqual([...PROOFS.keys()].toSorted(), [...used].toSorted());
});

test('the README lists what is announced', () => {
  assert.deepEqual(announcedByReadme('EHLO'), [...used].toSorted());
});

/** A client in each state that a listener has; nothing was said in it but what leads there. */
async function states(port: SmtpPort): Promise<[string, LineClient][]> {
  const found: [string, LineClient][] = [];
  if (port !== 'submissions') found.push(['clear', await server.open(port)]);
  if (port === 'submissions') found.push(['tls', await server.open(port)]);
  else if (port !== 'lmtp') {
    const client = await server.open(port);
    await client.ask('EHLO desk.far.example');
    await client.ask('STARTTLS');
    await client.startTls();
    found.push(['tls', client]);
  }
  if (port.startsWith('submission')) found.push(['logged in', await server.smtp(port)]);
  return found;
}

async function hello(client: LineClient, port: SmtpPort): Promise<Map<string, string>> {
  client.send(`${port === 'lmtp' ? 'LHLO' : 'EHLO'} desk.far.example\r\n`);
  const [, ...lines] = await client.reply();
  return new Map(
    lines.map((line) => {
      const [keyword = '', ...rest] = line.slice(4).split(' ');
      return [keyword, rest.join(' ')] as const;
    }),
  );
}

function senderOf(port: SmtpPort): string {
  return port.startsWith('submission') ? server.users[0]! : 's@far.example';
}

/** RFC 8689 2: inside TLS the parameter is taken, in clear it is not. */
async function requireTls(port: SmtpPort): Promise<void> {
  const mail = `MAIL FROM:<${senderOf(port)}> REQUIRETLS`;
  const client = await server.smtp(port);
  if (port === 'smtp') {
    assert.match(await client.ask(mail), /^5/);
    assert.match(await client.ask('STARTTLS'), /^220/);
    await client.startTls();
    assert.match(await client.ask('EHLO desk.far.example'), /^250/);
  }
  assert.match(await client.ask(mail), /^250/);
  client.close();
}

/** After MAIL and RCPT to the second user. */
async function begun(port: SmtpPort, mail = '', rcpt = ''): Promise<LineClient> {
  const client = await server.smtp(port);
  assert.match(await client.ask(`MAIL FROM:<${senderOf(port)}>${mail}`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${server.users[1]}>${rcpt}`), /^250/);
  return client;
}

/** The body of the newest message of a user, by IMAP, one character an octet. */
async function newest(user = 1): Promise<string> {
  const client = await server.imap(user);
  await client.tagged('a', 'EXAMINE INBOX');
  const lines = await client.tagged('b', 'FETCH * BODY.PEEK[]');
  client.close();
  return lines.slice(1, -1).join('\r\n');
}

async function eightBit(port: SmtpPort): Promise<void> {
  const client = await begun(port, ' BODY=8BITMIME');
  await client.ask('DATA');
  const head = `From: ${senderOf(port)}\r\nContent-Type: text/plain; charset=utf-8`;
  assert.match(await client.ask(`${head}\r\n\r\ngr\xc3\xbc\xc3\x9fe\r\n.`), /^250/);
  client.close();
  assert.match(await newest(), /\r\n\r\ngr\xc3\xbc\xc3\x9fe\r\n/);
}

async function binary(port: SmtpPort): Promise<void> {
  const client = await begun(port, ' BODY=BINARYMIME');
  const head = `From: ${senderOf(port)}\r\nContent-Type: application/octet-stream\r\n`;
  const content = `${head}Content-Transfer-Encoding: binary\r\n\r\n\xff\n\x01\r.\r\n`;
  assert.match(await client.ask('DATA'), /^503/);
  client.send(`BDAT ${content.length} LAST\r\n${content}`);
  assert.match((await client.reply()).at(-1)!, /^250/);
  client.close();
  assert.match(await newest(), /\r\n\r\n\xff\n\x01\r\.\r\n/);
}

async function chunking(port: SmtpPort): Promise<void> {
  const client = await begun(port);
  const head = `From: ${senderOf(port)}\r\nSubject: chunks\r\n\r\n`;
  client.send(`BDAT ${head.length}\r\n${head}BDAT 9\r\nQUIT\r\n.\r\nBDAT 0 LAST\r\nNOOP\r\n`);
  for (let n = 0; n < 4; n += 1) assert.match((await client.reply()).at(-1)!, /^250/);
  client.close();
  assert.match(await newest(), /Subject: chunks[\s\S]*\r\nQUIT\r\n\.\r\n/);
}

async function notices(port: SmtpPort): Promise<void> {
  const original = 'rfc822;first+2Bplus@old.example';
  const client = await begun(port, ' RET=HDRS ENVID=my+2Bid', ` NOTIFY=SUCCESS ORCPT=${original}`);
  await client.ask('DATA');
  const answer = await client.ask(`From: ${senderOf(port)}\r\nSubject: notify\r\n\r\nbody\r\n.`);
  assert.match(answer, /^250/);
  client.close();
  if (port.startsWith('submission')) {
    const arrived = await waitFor(async () => /Original-Envelope-Id/i.test(await newest(0)), 5_000);
    assert.ok(arrived, 'no notice');
    const notice = await newest(0);
    assert.match(notice, /Original-Envelope-Id: my\+id/i);
    assert.match(notice, /Original-Recipient: rfc822; ?first\+plus@old\.example/i);
    assert.match(notice, /Action: delivered/i);
    return;
  }
  // The sender is elsewhere: the notice waits for his server, from nobody.
  assert.ok(await waitFor(waits, 5_000), 'no notice in the queue');
}

async function waits(): Promise<boolean> {
  const { output } = await server.command('queue', 'list', '--json');
  return output.includes('s@far.example');
}

async function enhanced(port: SmtpPort): Promise<void> {
  const client = await begun(port);
  for (const line of ['NOOP', 'RSET', 'XYZZY', 'RCPT TO:<x@y.example>', 'VRFY x', 'QUIT']) {
    assert.match(await client.ask(line), /^(\d)\d\d \1\.\d{1,3}\.\d{1,3} /, line);
  }
}

async function limits(port: SmtpPort, text: string): Promise<void> {
  const most = Number(/^RCPTMAX=(\d+)$/.exec(text)?.[1]);
  assert.equal(most, 100);
  const client = await server.smtp(port);
  await client.ask(`MAIL FROM:<${senderOf(port)}>`);
  const codes: string[] = [];
  for (let n = 0; n <= most; n += 1) {
    const answer = await client.ask(`RCPT TO:<${server.users[1]!.replace('@', `+${n}@`)}>`);
    codes.push(answer.slice(0, 3));
  }
  assert.deepEqual(
    codes.slice(0, most),
    Array.from({ length: most }, () => '250'),
  );
  assert.equal(codes.at(-1), '452');
  client.close();
}

async function pipelining(port: SmtpPort): Promise<void> {
  const client = await server.smtp(port);
  const [from, to] = [senderOf(port), server.users[1]];
  const one = `MAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\n`;
  client.send(one);
  const codes = [];
  for (let n = 0; n < 3; n += 1) codes.push((await client.reply()).at(-1)!.slice(0, 3));
  client.send(`From: ${from}\r\nSubject: piped\r\n\r\nx\r\n.\r\n${one}`);
  for (let n = 0; n < 4; n += 1) codes.push((await client.reply()).at(-1)!.slice(0, 3));
  assert.equal(codes.join(' '), '250 250 354 250 250 250 354');
  client.close();
}

async function size(port: SmtpPort, text: string): Promise<void> {
  const limit = Number(text);
  assert.equal(limit, 102_400);
  const client = await server.smtp(port);
  const from = `MAIL FROM:<${senderOf(port)}>`;
  assert.match(await client.ask(`${from} SIZE=${limit + 1}`), /^552 5\.3\.4/);
  assert.match(await client.ask(`${from} SIZE=${limit}`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${server.users[1]}>`), /^250/);
  // Whatever was said before, the octets count.
  for (const [octets, code] of [
    [limit + 1, /^552 5\.3\.4/],
    [limit, /^250/],
  ] as const) {
    if (octets === limit) {
      await client.ask(from);
      await client.ask(`RCPT TO:<${server.users[1]}>`);
    }
    assert.match(await client.ask('DATA'), /^354/);
    const head = `From: ${senderOf(port)}\r\n\r\n`;
    const lines = 'z'
      .repeat(octets - head.length - 2)
      .replaceAll(/.{98}(?=...)/g, (run) => `${run.slice(2)}\r\n`);
    assert.match(await client.ask(`${head}${lines}\r\n.`), code, `${octets}`);
  }
  client.close();
}

async function internationalized(port: SmtpPort): Promise<void> {
  const client = await server.smtp(port);
  const own = port.startsWith('submission');
  const from = own ? server.users[0]! : 'bj\xc3\xb6rn@far.example';
  assert.match(await client.ask(`MAIL FROM:<${from}> SMTPUTF8`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${server.users[1]}>`), /^250/);
  if (own) assert.match(await client.ask('RCPT TO:<bj\xc3\xb6rn@far.example>'), /^250/);
  await client.ask('DATA');
  const answer = await client.ask(`From: <${from}>\r\nSubject: gr\xc3\xbc\xc3\x9fe\r\n\r\nx\r\n.`);
  assert.match(answer, /^250/);
  client.close();
  assert.match(await newest(), /Subject: gr\xc3\xbc\xc3\x9fe/);
}

async function startTls(port: SmtpPort): Promise<void> {
  const client = await server.open(port);
  await client.ask('EHLO desk.far.example');
  assert.match(await client.ask('STARTTLS'), /^220/);
  await client.startTls();
  assert.equal((await hello(client, port)).has('STARTTLS'), false);
  client.close();
}

async function auth(port: SmtpPort, text: string): Promise<void> {
  const names = text.split(' ');
  assert.deepEqual(names.toSorted(), announcedByReadme('SASL'));
  for (const name of names) {
    const [, client] = (await states(port)).find(([state]) => state === 'tls')!;
    await hello(client, port);
    const login = { user: server.users[0]!, password: PASSWORD };
    assert.match(await saslLogin(client, 'smtp', name, login), /^235/, name);
    assert.match(await client.ask(`MAIL FROM:<${server.users[0]}>`), /^250/);
    client.close();
  }
}
