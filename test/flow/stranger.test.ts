/** A stranger, and a user who would be somebody else, against a running server: nothing works. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demo } from '../world/demo.ts';
import { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';

const postern = demo();
const { port, account: user } = postern;

/** nmap's forms of asking for a relay, and ours; LOCAL is our domain. */
const RELAY_FORMS = [
  '<relay@far.example>',
  '<"relay@far.example">',
  '<"relay%far.example">',
  '<relay%far.example@LOCAL>',
  '<relay%far.example@[127.0.0.1]>',
  '<"relay@far.example"@LOCAL>',
  '<"relay@far.example"@[127.0.0.1]>',
  '<"relay%far.example"@LOCAL>',
  '<relay@far.example@LOCAL>',
  '<relay@far.example@[127.0.0.1]>',
  '<@LOCAL:relay@far.example>',
  '<@[127.0.0.1]:relay@far.example>',
  '<far.example!relay>',
  '<far.example!relay@LOCAL>',
  '<far.example!relay@[127.0.0.1]>',
  '<relay@far.example.>',
  '<relay@[192.0.2.7]>',
  '<relay@LOCAL.far.example>',
  'relay@far.example',
];
const RELAY_SENDERS = ['<>', '<stranger@far.example>', '<root@LOCAL>', '<stranger@[127.0.0.1]>'];

/** Ends of data that some server somewhere believed (CVE-2023-51764 and kin). */
const FALSE_ENDS = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\n',
  '\n.\r',
  '\r\n.\r',
  '\r.\r\n',
  '\r\r\n.\r\n',
  '\r\n.\r\r\n',
  '\r\n.\0\r\n',
  '\r\n\0.\r\n',
  '\n\n.\r\n',
  '\r\n..\r\n',
];

async function smtp(name = 'smtp'): Promise<LineClient> {
  const client = await LineClient.connect(port(name));
  await client.reply();
  return client;
}

async function login(index: number): Promise<LineClient> {
  const client = await LineClient.connectTls(port('submissions'));
  await client.reply();
  await client.ask('EHLO desk.test');
  const { address, password } = user(index);
  const plain = Buffer.from(`\0${address}\0${password}`).toString('base64');
  assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^235/);
  return client;
}

/** A whole transaction; the answer to the content. */
async function send(
  client: LineClient,
  from: string,
  to: string,
  content: string,
): Promise<string> {
  assert.match(await client.ask(`MAIL FROM:<${from}>`), /^250/);
  assert.match(await client.ask(`RCPT TO:<${to}>`), /^250/);
  assert.match(await client.ask('DATA'), /^354/);
  return client.ask(`${content}\r\n.`);
}

/** All octets in an account's INBOX. */
async function inbox(index: number): Promise<string> {
  const client = await LineClient.connectTls(port('imaps'));
  await client.line();
  await client.tagged('a', `LOGIN "${user(index).address}" "${user(index).password}"`);
  await client.tagged('b', 'EXAMINE INBOX');
  const lines = await client.tagged('c', 'FETCH 1:* BODY.PEEK[]');
  client.close();
  return lines.join('\n');
}

test('a stranger relays nothing, in any of the forms', async () => {
  for (const sender of RELAY_SENDERS) {
    for (const form of RELAY_FORMS) {
      const client = await smtp();
      await client.ask('EHLO stranger.far.example');
      const mail = await client.ask(
        `MAIL FROM:${sender.replace('LOCAL', postern.server.ready.domain)}`,
      );
      if (mail.startsWith('250')) {
        const answer = await client.ask(
          `RCPT TO:${form.replace('LOCAL', postern.server.ready.domain)}`,
        );
        assert.match(answer, /^5\d\d/, `${sender} ${form}`);
      } else {
        assert.match(mail, /^5\d\d/);
      }
      client.close();
    }
  }
});

test('VRFY and EXPN say the same for every name', async () => {
  const client = await smtp();
  await client.ask('EHLO stranger.far.example');
  const names = ['alice', user(0).address, 'nobody-here', 'root', 'postmaster'];
  for (const [verb, code] of [
    ['VRFY', '252'],
    ['EXPN', '502'],
  ]) {
    const answers = new Set<string>();
    for (const name of names) answers.add(await client.ask(`${verb} ${name}`));
    assert.equal(answers.size, 1, [...answers].join(' | '));
    assert.match([...answers][0]!, new RegExp(`^${code}`));
  }
  client.close();
});

test('no login without TLS on any port', async () => {
  const { address, password } = user(0);
  const plain = Buffer.from(`\0${address}\0${password}`).toString('base64');
  for (const name of ['smtp', 'submission']) {
    const client = await smtp(name);
    client.send('EHLO stranger.far.example\r\n');
    assert.doesNotMatch((await client.reply()).join(), /AUTH/);
    assert.match(await client.ask(`AUTH PLAIN ${plain}`), /^5\d\d/);
    client.close();
  }
  const imap = await LineClient.connect(port('imap'));
  assert.match((await imap.line()) ?? '', /LOGINDISABLED/);
  const refused = await imap.tagged('a', `LOGIN "${address}" "${password}"`);
  assert.match(refused.at(-1)!, /^a (?:NO|BAD)/);
  assert.match((await imap.tagged('b', `AUTHENTICATE PLAIN ${plain}`)).at(-1)!, /^b (?:NO|BAD)/);
  imap.close();
  const pop3 = await LineClient.connect(port('pop3'));
  await pop3.line();
  pop3.send(`USER ${address}\r\n`);
  assert.match((await pop3.line()) ?? '', /^-ERR/);
  pop3.close();
});

test('octets sent behind STARTTLS are never executed', async () => {
  const cases: [string, string, RegExp][] = [
    ['smtp', 'EHLO a.test\r\nSTARTTLS\r\nRSET\r\nNOOP injected\r\n', /^250 /],
    ['imap', 'a STARTTLS\r\nb NOOP\r\n', /^b /],
    ['pop3', 'STLS\r\nCAPA\r\n', /^\+OK [^B]*$/],
  ];
  for (const [name, octets, injected] of cases) {
    const client = await LineClient.connect(port(name));
    await client.line();
    client.send(octets);
    const lines: string[] = [];
    for (let line = await client.line(); line !== undefined; line = await client.line()) {
      lines.push(line);
    }
    const agreed = lines.findIndex((line) => /^220 |^a OK|^\+OK/.test(line));
    const later = agreed === -1 ? [] : lines.slice(agreed + 1);
    assert.ok(!later.some((line) => injected.test(line)), `${name}: ${lines.join(' | ')}`);
    assert.ok(client.ended, `${name} closes`);
  }
});

test('a login cannot write as somebody else', async () => {
  const mine = user(0).address;
  const theirs = user(1).address;
  const client = await login(0);
  assert.match(await client.ask(`MAIL FROM:<${theirs}>`), /^5\d\d/);
  assert.match(await client.ask('MAIL FROM:<president@far.example>'), /^5\d\d/);
  const forged = [
    `From: ${theirs}`,
    `From: <${mine}>, <${theirs}>`,
    `From: "${mine}" <${theirs}>`,
    `From: (${mine}) ${theirs}`,
    `From: group: ${theirs};`,
    `From: =?utf-8?q?${mine}?= <${theirs}>`,
    `From: ${mine}\r\nSender: ${theirs}`,
    'From: nothing that is an address',
    `From:\r\n ${theirs}`,
  ];
  for (const from of forged) {
    const answer = await send(client, mine, theirs, `${from}\r\nSubject: forged\r\n\r\nx`);
    assert.match(answer, /^550 5\.[67]\./, from);
  }
  const good = await send(client, mine, theirs, `From: "A" <${mine}>\r\nSubject: own\r\n\r\nx`);
  assert.match(good, /^250/);
  client.close();
});

test('two From fields are refused', async () => {
  const client = await smtp();
  await client.ask('EHLO mx.far.example');
  for (const name of ['From', 'Sender', 'Date']) {
    const content = `${name}: one@far.example\r\n${name}: two@far.example\r\n\r\nx`;
    assert.match(await send(client, 's@far.example', user(0).address, content), /^550 5\.6\.0/);
  }
  client.close();
});

test('no smuggled second message in any end-of-data form', async () => {
  const to = user(1).address;
  for (const [index, end] of FALSE_ENDS.entries()) {
    const client = await smtp();
    await client.ask('EHLO mx.far.example');
    await client.ask('MAIL FROM:<s@far.example>');
    await client.ask(`RCPT TO:<${to}>`);
    await client.ask('DATA');
    client.send(
      `Subject: outer ${index}\r\n\r\nfirst${end}MAIL FROM:<evil@far.example>\r\n` +
        `RCPT TO:<${to}>\r\nDATA\r\nSubject: smuggled ${index}\r\n\r\nsecond\r\n.\r\nQUIT\r\n`,
    );
    const lines: string[] = [];
    for (let line = await client.line(); line !== undefined; line = await client.line()) {
      lines.push(line);
    }
    const accepted = lines.filter((line) => line.startsWith('250 2.0.0'));
    assert.ok(accepted.length <= 1, `${JSON.stringify(end)}: ${lines.join(' | ')}`);
  }
  assert.doesNotMatch(await inbox(1), /^Subject: smuggled [\s\S]*Return-Path: <evil/m);
  assert.doesNotMatch(await inbox(1), /Return-Path: <evil@far\.example>/);
});

test('no port tells a version', async () => {
  for (const name of ['smtp', 'submission', 'imap', 'pop3']) {
    const client = await LineClient.connect(port(name));
    const greeting = (await client.line()) ?? '';
    assert.doesNotMatch(greeting, /postern|node|\d+\.\d+\.\d+/i, greeting);
    client.close();
  }
  const client = await smtp();
  client.send('EHLO stranger.far.example\r\n');
  assert.doesNotMatch((await client.reply()).join(), /postern|node/i);
  client.send('HELP\r\n');
  assert.doesNotMatch((await client.reply()).join(), /postern|node/i);
  client.close();
});

test('submitted mail does not tell where its author sits', async () => {
  const [from, to] = [user(0).address, user(1).address];
  const client = await login(0);
  const content = `From: ${from}\r\nBcc: secret@far.example\r\nSubject: discreet\r\n\r\nx`;
  assert.match(await send(client, from, to, content), /^250/);
  client.close();
  assert.ok(await waitFor(async () => (await inbox(1)).includes('discreet'), 5_000));
  const text = await inbox(1);
  const received = text.slice(text.lastIndexOf('Received:', text.indexOf('discreet')));
  const field = received.slice(0, received.indexOf('Subject:'));
  assert.doesNotMatch(field, /127\.0\.0\.1|desk\.test|secret@/);
});

test('a loop is stopped by hops', async () => {
  const client = await smtp();
  await client.ask('EHLO mx.far.example');
  const hop = 'Received: from a.example by b.example; Sun, 22 Nov 2026 05:00:00 +0000\r\n';
  const looped = `${hop.repeat(101)}Subject: round\r\n\r\nx`;
  assert.match(await send(client, 's@far.example', user(0).address, looped), /^554 5\.4\.6/);
  const fine = `${hop.repeat(30)}Subject: far\r\n\r\nx`;
  assert.match(await send(client, 's@far.example', user(0).address, fine), /^250/);
  client.close();
});

test('unknown recipients are refused at RCPT, no notice is made', async () => {
  const client = await smtp();
  await client.ask('EHLO mx.far.example');
  await client.ask(`MAIL FROM:<victim@far.example>`);
  const unknown = `nobody-here@${postern.server.ready.domain}`;
  assert.match(await client.ask(`RCPT TO:<${unknown}>`), /^550 5\.1\.1/);
  assert.match(await client.ask(`RCPT TO:<postmaster@${postern.server.ready.domain}>`), /^250/);
  assert.match(await client.ask('RCPT TO:<Postmaster>'), /^250/);
  assert.match(await client.ask(`RCPT TO:<ABUSE@${postern.server.ready.domain}>`), /^250/);
  client.close();
});
