/** Memory and patience of a running server under attack: flat, and an honest client waits for nobody. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import { SMTP_PORTS, WholeServer } from '../world/whole-server.ts';

const MIB = 1_048_576;
/** What an attack may cost at its worst moment: buffers of the system and garbage included. */
const ROOM_MIB = 128;

let server: WholeServer;

before(async () => {
  server = await WholeServer.start({ settings: 'smtpd_connection_limit = 2000' });
  await server.deliver(`Subject: large\r\n\r\n${'0123456789\r\n'.repeat(20_000)}`);
  for (let n = 0; n < 50; n += 1) await server.deliver(`Subject: warm ${n}\r\n\r\nx`);
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

test('200 MB without a line end cost nothing, in commands and in content', async () => {
  const piece = Buffer.alloc(MIB, 'x');
  for (const name of ['smtp', 'imap', 'pop3', 'lmtp', 'imaps', 'content', 'user'] as const) {
    await within(ROOM_MIB, name, async () => {
      const client = await begun(name);
      let sent = 0;
      while (sent < 200 && (await client.pour(piece))) sent += 1;
      assert.ok(sent < 200, `${name} takes octets for ever`);
      client.close();
    });
  }
});

test('a literal or a chunk of 1 GiB is refused before it comes', async () => {
  await within(16, 'announced', async () => {
    const imap = await server.imap();
    const answer = await imap.tagged('a', `APPEND INBOX {${1_024 * MIB}}`);
    assert.match(answer.at(-1) ?? '', /^a NO \[TOOBIG\]/);
    imap.send(`b APPEND INBOX {${1_024 * MIB}+}\r\n`);
    assert.match((await imap.rest()).join('|'), /^\* BYE|\|\* BYE/);
    const smtp = await server.smtp();
    await smtp.ask('MAIL FROM:<s@far.example>');
    await smtp.ask(`RCPT TO:<${server.users[0]}>`);
    smtp.send(`BDAT ${1_024 * MIB} LAST\r\n`);
    await smtp.pour(Buffer.alloc(MIB, 'x'));
    smtp.close();
  });
});

test('what is larger than the limit is refused while it comes, and the session goes on', async () => {
  await within(ROOM_MIB, 'too large', async () => {
    const client = await begun('content');
    const piece = Buffer.from(`${'y'.repeat(1_022)}\r\n`.repeat(1_024));
    for (let sent = 0; sent < 60; sent += 1) await client.pour(piece);
    assert.match(await client.ask('.'), /^552 5\.3\.4/);
    assert.match(await client.ask('NOOP'), /^250/);
    client.close();
  });
});

test('10,000 header fields are kept and read, 100,000 are refused, on every port', async () => {
  await within(ROOM_MIB, 'header fields', async () => {
    assert.match(await server.deliver(`${fields(9_990)}\r\nbody`, 1), /^250/);
    const imap = await server.imap(1);
    await imap.tagged('a', 'SELECT INBOX');
    const lines = await imap.tagged('b', 'FETCH * (ENVELOPE BODYSTRUCTURE RFC822.SIZE)');
    assert.match(lines.join('|'), /"many fields"/);
    assert.match((await imap.tagged('c', 'SEARCH HEADER X y')).join('|'), /SEARCH 1\|c OK/);
    const some = await imap.tagged('d', 'FETCH * BODY.PEEK[HEADER.FIELDS (Subject)]');
    assert.match(some.join('|'), /Subject: many fields/);
    const all = await imap.tagged('e', 'FETCH * BODY.PEEK[HEADER]');
    assert.equal(all.filter((line) => line === 'X: y').length, 9_990);
    imap.close();
  });
  for (const port of SMTP_PORTS) {
    const from = port.startsWith('submission') ? server.users[0]! : 's@far.example';
    const client = await server.smtp(port);
    for (const padding of ['', 'y'.repeat(20)]) {
      await client.ask(`MAIL FROM:<${from}>`);
      await client.ask(`RCPT TO:<${server.users[1]}>`);
      await client.ask('DATA');
      const head = fields(100_000).replaceAll('X: y', `X: y${padding}`);
      await client.pour(`From: ${from}\r\n${head}\r\nbody`);
      assert.match(await client.ask('\r\n.'), /^552 5\.3\.4/, `${port} ${padding}`);
    }
    client.close();
  }
  assert.equal(await server.count(1), 1);
});

test('100,000 pipelined FETCHes of a client that never reads cost one answer at a time', async () => {
  await within(ROOM_MIB, 'never reads', async () => {
    const client = await server.imap();
    await client.tagged('a', 'SELECT INBOX');
    client.pause();
    for (let n = 0; n < 10; n += 1) {
      await client.pour('f FETCH 1 BODY[]\r\n'.repeat(10_000), 200);
      await honest();
    }
    // It was served as far as it read, no further: a quarter of a megabyte each.
    client.resume();
    for (let n = 0; n < 5; n += 1) assert.ok(await completed(client));
    client.pause();
    await honest();
    client.close();
  });
});

test('300 slow clients at once: an honest one is served as quickly as before', async () => {
  const alone = await honest();
  const slow: LineClient[] = [];
  const places = ['smtp', 'submission', 'lmtp', 'imap', 'pop3', 'submissions'];
  for (let n = 0; n < 300; n += 1) slow.push(await server.dial(places[n % places.length]!));
  const beginnings = ['EHLO a.te', 'a LOGIN "', 'USER a', '\x16\x03\x01\x02'];
  let turn = 0;
  const timer = setInterval(() => {
    const octet = beginnings[turn % beginnings.length]!.charAt(Math.floor(turn / 4) % 4);
    for (const client of slow) if (client.writable) client.send(octet);
    turn += 1;
  }, 50);
  try {
    await within(ROOM_MIB, 'slow clients', async () => {
      const times: number[] = [];
      for (let n = 0; n < 20; n += 1) times.push(await honest());
      const median = times.toSorted((a, b) => a - b)[10]!;
      assert.ok(median < Math.max(100, alone * 5), `${median} ms, ${alone} ms when alone`);
    });
  } finally {
    clearInterval(timer);
    for (const client of slow) client.close();
  }
});

function fields(count: number): string {
  return `Subject: many fields\r\n${'X: y\r\n'.repeat(count)}`;
}

/** Reads on to the end of one FETCH. */
async function completed(client: LineClient): Promise<boolean> {
  for (;;) {
    const line = await client.line();
    if (line === undefined) return false;
    if (line.startsWith('f OK')) return true;
  }
}

/** A transaction from connect to 250, in ms. */
async function honest(): Promise<number> {
  const from = performance.now();
  assert.match(await server.deliver('Subject: honest\r\n\r\nx'), /^250/);
  return performance.now() - from;
}

/** Where the flood begins. */
async function begun(
  where: 'smtp' | 'imap' | 'imaps' | 'pop3' | 'lmtp' | 'content' | 'user',
): Promise<LineClient> {
  if (where === 'user') return server.imap();
  if (where !== 'content') return server.open(where);
  const client = await server.smtp();
  await client.ask('MAIL FROM:<s@far.example>');
  await client.ask(`RCPT TO:<${server.users[0]}>`);
  assert.match(await client.ask('DATA'), /^354/);
  return client;
}

/** Runs the attack; fails when the server's memory grew by more than so much at any moment. */
async function within(room: number, what: string, attack: () => Promise<void>): Promise<void> {
  const before = server.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, server.rss())), 20);
  try {
    await attack();
  } finally {
    clearInterval(watch);
  }
  await waitFor(() => server.rss() < before + room, 1_000);
  const grown = Math.round(Math.max(most, server.rss()) - before);
  if (process.env['POSTERN_SHOW'] !== undefined) console.log(what, Math.round(before), `+${grown}`);
  assert.ok(grown < room, `${what}: ${grown} MiB more`);
}
