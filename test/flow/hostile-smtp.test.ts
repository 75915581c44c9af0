/** Hostile input on every port that speaks SMTP: a clear answer, nothing stored, nothing lost. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import { SMTP_PORTS, type SmtpPort, WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start({
    settings: `
smtpd_timeout = "2s"
smtpd_tls_handshake_timeout = "1s"
message_size_limit = "1M"
`,
  });
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

/** A line instead of MAIL, or what follows MAIL when it begins with RCPT; and its answer. */
const LINES: readonly (readonly [string, RegExp])[] = [
  // Control characters and NUL, in addresses and in names.
  ['MAIL FROM:<a\0b@far.example>', /^500 5\.5\.2 NUL/],
  ['MAIL FROM:<a@far.example>\rRCPT TO:<x@y.example>', /^500 5\.5\.2 Bare CR/],
  ['MAIL FROM:<a@far.example>\nRCPT TO:<x@y.example>', /^500 5\.5\.2 Bare LF/],
  ['MAIL FROM:<a\x01b@far.example>', /^501 5\./],
  ['MAIL FROM:<a\x7fb@far.example>', /^501 5\./],
  ['MAIL FROM:<"a\x1bb"@far.example>', /^501 5\./],
  ['MAIL FROM:<a@far\t.example>', /^501 5\./],
  ['MAIL FROM:<a@far.example> SIZE=1\x0b', /^5\d\d 5\./],
  ['RCPT TO:<ann\0@whole.test>', /^500 5\.5\.2 NUL/],
  ['RCPT TO:<ann\x08@whole.test>', /^501 5\./],
  ['HELLO a\x02b', /^5\d\d 5\./],
  ['VRFY a\x1b[2J', /^501 5\./],
  // Half commands.
  ['MAIL', /^501 5\.5\.[24]/],
  ['MAIL FROM', /^501 5\.5\.[24]/],
  ['MAIL FROM:', /^501 5\./],
  ['MAIL FROM:<', /^501 5\./],
  ['MAIL FROM:<a@far.example', /^501 5\./],
  ['RCPT TO:<', /^501 5\./],
  ['RCPT', /^501 5\./],
  ['AUTH', /^50[13] 5\./],
  ['', /^500 5\.5\.2/],
  [' ', /^500 5\.5\.2/],
  // Commands out of order.
  ['DATA', /^503 5\.5\.1/],
  ['RCPT DATA', /^501 5\./],
  ['BDAT 0 LAST', /^503 5\.5\.1/],
  ['LHLO x', /^(?:500|250)/],
  ['DATA DATA', /^50[13] 5\./],
  // Sizes and numbers (S4).
  ['BDAT -1', /^501 5\.5\.4/],
  ['BDAT 0x10', /^501 5\.5\.4/],
  ['BDAT 18446744073709551616', /^501 5\.5\.4/],
  ['MAIL FROM:<a@far.example> SIZE=-1', /^501 5\./],
  ['MAIL FROM:<a@far.example> SIZE=99999999999999999999', /^5\d\d 5\./],
  ['MAIL FROM:<a@far.example> SIZE=1048577', /^552 5\.3\.4/],
  ['MAIL FROM:<a@far.example> SIZE=1 SIZE=1', /^501 5\./],
  ['MAIL FROM:<a@far.example> XYZZY=1', /^555 5\.5\.4/],
  ['MAIL FROM:<a@far.example> __proto__=1', /^501 5\.5\.4/],
  ['MAIL FROM:<a@far.example> constructor=1', /^555 5\.5\.4/],
  ['MAIL FROM:<a@far.example> BODY=9BIT', /^501 5\./],
  // S5 and S6: shells and templates are letters.
  ['MAIL FROM:<;sleep 66;>', /^501 5\./],
  ['RCPT TO:<|/bin/sh@whole.test>', /^55[03] 5\./],
  ['RCPT TO:<:include:/etc/passwd@whole.test>', /^501 5\./],
  ['RCPT TO:</var/mail/x@whole.test>', /^550 5\.1\.1/],
  ['RCPT TO:<`id`@whole.test>', /^550 5\.1\.1/],
  ['RCPT TO:<$(id)@whole.test>', /^501 5\./],
  ['RCPT TO:<{{7*7}}@whole.test>', /^550 5\.1\.1/],
  ["RCPT TO:<\"x' OR '1'='1\"@whole.test>", /^550 5\.1\.1/],
  ['RCPT TO:<__proto__@whole.test>', /^550 5\.1\.1/],
  ['RCPT TO:<constructor@whole.test>', /^550 5\.1\.1/],
  // S9: an address has one domain, behind the last @.
  ['RCPT TO:<a@b@whole.test>', /^501 5\./],
  ['RCPT TO:<ann@whole.test.>', /^250/],
  ['RCPT TO:<ann@-whole.test>', /^5\d\d 5\./],
  ['RCPT TO:<ann@[IPv6:zz]>', /^501 5\./],
  ['RCPT TO:<ann@[127.0.0.256]>', /^501 5\./],
  ['RCPT TO:<\xc3@whole.test>', /^553 5\.6\.7/],
  [`RCPT TO:<${'a'.repeat(65)}@whole.test>`, /^501 5\./],
  [`RCPT TO:<ann@${'a.'.repeat(130)}test>`, /^501 5\./],
  // S18: what is decoded never becomes a header.
  ['RCPT TO:<ann@whole.test> ORCPT=rfc822;a+0D+0ABcc:x', /^501 5\./],
  ['RCPT TO:<ann@whole.test> NOTIFY=NEVER,SUCCESS', /^501 5\./],
  ['MAIL FROM:<a@far.example> RET=BOTH', /^501 5\./],
  [`MAIL FROM:<a@far.example> ENVID=${'x'.repeat(101)}`, /^501 5\./],
  // S19: no well-formed UTF-8, with the parameter or without.
  ['MAIL FROM:<\xc0\xaf@far.example> SMTPUTF8', /^553 5\.6\.7/],
  ['MAIL FROM:<\xed\xa0\x80@far.example> SMTPUTF8', /^553 5\.6\.7/],
  ['MAIL FROM:<\xff@far.example>', /^553 5\.6\.7/],
  // S17: another protocol ends the session.
  ['GET / HTTP/1.1', /^421 4\.7\.0/],
  ['PROXY TCP4 10.0.0.1 10.0.0.2 1 2', /^421 4\.7\.0/],
  ['\x16\x03\x01\x02\x00\x01\x00', /^421 4\.7\.0/],
];

for (const port of SMTP_PORTS) {
  test(`bad lines get a clear answer on ${port}`, async () => {
    let client = await server.smtp(port);
    const sender = port.startsWith('submission') ? server.users[0]! : 'a@far.example';
    for (const [index, [line, expected]] of LINES.entries()) {
      // Patience has limits that are tested elsewhere.
      if (client.ended || index % 6 === 0) {
        client.close();
        client = await server.smtp(port);
      }
      if (line.startsWith('RCPT')) await client.ask(`MAIL FROM:<${sender}>`);
      const answer = await client.ask(line);
      assert.match(answer, expected, `${port} ${JSON.stringify(line)}`);
      if (/^421|closing/.test(answer)) {
        assert.equal(await client.line(), undefined);
      } else {
        assert.match(await client.ask('RSET'), /^250/, JSON.stringify(line));
      }
    }
    client.close();
  });

  test(`over-long lines and endless ones on ${port}`, async () => {
    const client = await server.smtp(port);
    assert.match(await client.ask(`NOOP ${'x'.repeat(2_048)}`), /^500 5\.5\.2 Line too long/);
    assert.match(await client.ask(`NOOP ${'x'.repeat(100_000)}`), /^500 5\.5\.2/);
    assert.match(await client.ask('NOOP'), /^250/);
    await client.pour(`NOOP ${'x'.repeat(4_000_000)}`);
    const last = (await client.rest()).at(-1) ?? '';
    assert.match(last, /^421 4\.7\.0/);
  });

  test(`an end half way through content stores nothing on ${port}`, async () => {
    const counted = await server.count();
    for (const way of ['close', 'end', 'reset', 'bdat'] as const) {
      const client = await transaction(port);
      if (way === 'bdat') {
        client.send('BDAT 20 LAST\r\nSubject: ');
        client.end();
        assert.deepEqual(await client.rest(), []);
        continue;
      }
      assert.match(await client.ask('DATA'), /^354/);
      await client.pour(`Subject: half\r\n\r\n${'half a line '.repeat(8_000)}`);
      if (way === 'end') {
        client.end();
        // No 250, and nothing that could be taken for one.
        assert.doesNotMatch((await client.rest()).join(), /^2/);
      } else if (way === 'reset') client.reset();
      else client.close();
    }
    assert.equal(await server.count(), counted);
  });

  test(`a command cut anywhere by the end of the connection does nothing on ${port}`, async () => {
    const counted = await server.count();
    const dialogue = 'DATA\r\nSubject: cut\r\n\r\nx\r\n.\r';
    for (const at of [1, 4, 5, 6, 12, 25, dialogue.length]) {
      const client = await transaction(port);
      client.send(dialogue.slice(0, at));
      client.end();
      assert.doesNotMatch((await client.rest()).join('|'), /250/);
    }
    assert.equal(await server.count(), counted);
  });

  test(`octet by octet is as good as at once on ${port}`, async () => {
    const client = await server.smtp(port);
    const sender = senderOf(port);
    const text =
      `MAIL FROM:<${sender}>\r\nRCPT TO:<${server.users[0]}>\r\nDATA\r\n` +
      `From: ${sender}\r\nSubject: slowly\r\n\r\n..dot\r\n.\r\nRSET\r\n`;
    for (const octet of text) {
      client.send(octet);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answers: string[] = [];
    for (let n = 0; n < 5; n += 1) answers.push((await client.reply()).at(-1)!.slice(0, 3));
    assert.deepEqual(answers, ['250', '250', '354', '250', '250']);
    client.close();
  });
}

test('one octet a second is cut off, before and in the content, on every port', async () => {
  const trickles: LineClient[] = [];
  for (const port of SMTP_PORTS) {
    const [talking, sending] = [await transaction(port), await transaction(port)];
    assert.match(await sending.ask('DATA'), /^354/);
    trickles.push(talking, sending);
  }
  const timer = setInterval(() => {
    for (const client of trickles) if (client.writable) client.send('x');
  }, 300);
  try {
    for (const client of trickles) assert.match((await client.rest()).at(-1) ?? '', /^421 4\.4\.2/);
  } finally {
    clearInterval(timer);
  }
});

test('a client that never reads is cut off, and holds nobody else up', async () => {
  const client = await server.smtp('smtp');
  client.pause();
  await client.pour('EHLO greedy.test\r\n'.repeat(6_000), 500);
  assert.match(await server.deliver('Subject: honest\r\n\r\nx'), /^250/);
  // It does not see the end, but what it sends is refused by the system.
  const gone = await waitFor(() => {
    client.send('NOOP\r\n');
    return !client.writable;
  }, 12_000);
  assert.ok(gone, 'the connection is still there');
});

test('silence instead of a TLS handshake has its end on 465, 993, 995 and after STARTTLS', async () => {
  const silent: LineClient[] = [];
  for (const name of ['submissions', 'imaps', 'pop3s']) silent.push(await server.dial(name));
  const half = await server.dial('submissions');
  half.send('\x16\x03\x01\x02');
  const upgraded = await server.open('submission');
  await upgraded.ask('EHLO desk.test');
  assert.match(await upgraded.ask('STARTTLS'), /^220/);
  const wrong = await server.dial('imaps');
  wrong.send('a LOGIN x y\r\n');
  for (const client of [...silent, half, upgraded, wrong]) {
    for (const line of await client.rest()) assert.doesNotMatch(line, /^(?:\* |\+OK|220)/);
  }
});

test('10,000 recipients are taken where that is allowed, one more is refused', async () => {
  const large = await WholeServer.start({ settings: 'smtpd_recipient_limit = 10000' });
  const client = await large.smtp('lmtp');
  await client.ask('MAIL FROM:<s@far.example>');
  const [ann, ben] = large.users;
  const one = (n: number): string =>
    `RCPT TO:<${(n % 2 === 0 ? ann : ben)!.replace('@', `+${n}@`)}>\r\n`;
  const lines = Array.from({ length: 10_001 }, (_, n) => one(n)).join('');
  const answers = await pipelined(client, lines, 10_001);
  assert.deepEqual(tally(answers), { '250': 10_000, '452': 1 });
  assert.match(answers.at(-1)!, /^452 4\.5\.3/);
  const counted = await large.count(0);
  assert.match(await client.ask('DATA'), /^354/);
  client.send('Subject: to thousands\r\n\r\nx\r\n.\r\n');
  const delivered: string[] = [];
  for (let n = 0; n < 10_000; n += 1) delivered.push((await client.line()) ?? '');
  assert.deepEqual(tally(delivered), { '250': 10_000 });
  client.close();
  // One mailbox gets one copy, by however many names it was asked.
  assert.equal(await large.count(0), counted + 1);
  await large.stop();
});

test('10,000 unknown recipients, commands and mistakes end a session, not the server', async () => {
  const rows: readonly (readonly [string, string, RegExp])[] = [
    ['MAIL FROM:<s@far.example>\r\n', 'RCPT TO:<nobody-here@whole.test>\r\n', /^421 4\.7\.0/],
    ['', 'XYZZY\r\n', /^421 4\.7\.0/],
    ['', 'EHLO again.test\r\n', /^421 4\.7\.0/],
    ['', 'NOOP\r\n', /^421 4\.7\.0/],
    ['', 'MAIL FROM:<s@far.example>\r\nRSET\r\n', /^421 4\.7\.0/],
  ];
  for (const [first, again, last] of rows) {
    const client = await server.smtp('smtp');
    client.send(first + again.repeat(10_000));
    const lines = await client.rest();
    assert.match(lines.at(-1) ?? '', last, again);
  }
});

/** The state before DATA. */
async function transaction(port: SmtpPort): Promise<LineClient> {
  const client = await server.smtp(port);
  assert.match(await client.ask(`MAIL FROM:<${senderOf(port)}>`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${server.users[0]}>`), /^250/);
  return client;
}

function senderOf(port: SmtpPort): string {
  return port.startsWith('submission') ? server.users[0]! : 's@far.example';
}

async function pipelined(client: LineClient, lines: string, count: number): Promise<string[]> {
  const pouring = client.pour(lines);
  const answers: string[] = [];
  for (let n = 0; n < count; n += 1) answers.push((await client.line()) ?? '');
  await pouring;
  return answers;
}

function tally(answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const code = answer.slice(0, 3);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}
