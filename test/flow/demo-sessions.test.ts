/** The demo as `npm start` starts it carries 200 sessions from loopback at once: anyone can measure it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, without } from '../interop/tools.ts';
import { demo } from '../world/demo.ts';
import { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';

const SESSIONS = 200;
/** Begun at the same time; all of them stay open. */
const BATCH = 20;

const postern = demo();
const { port, account } = postern;

/** So many at once, each opened by `open`. */
async function crowd<T>(count: number, open: (nth: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < count) {
    const numbers = Array.from({ length: Math.min(BATCH, count - all.length) }, (_, at) => at);
    all.push(...(await Promise.all(numbers.map((at) => open(all.length + at)))));
  }
  return all;
}

async function smtpSession(): Promise<LineClient> {
  const client = await LineClient.connect(port('smtp'), '127.0.0.1', 30_000);
  assert.match((await client.reply()).at(-1) ?? 'closed', /^220 /);
  assert.match(await client.ask('EHLO client.example'), /^250 /);
  return client;
}

async function idleLogin(): Promise<LineClient> {
  const { address, password } = account(0);
  const client = await LineClient.connectTls(port('imaps'));
  assert.match((await client.line()) ?? 'closed', /^\* OK/);
  const login = await client.tagged('a', `LOGIN ${address} ${password}`);
  assert.match(login.at(-1) ?? 'closed', /^a OK/);
  assert.match((await client.tagged('b', 'SELECT INBOX')).at(-1) ?? 'closed', /^b OK/);
  client.send('c IDLE\r\n');
  assert.match((await client.line()) ?? 'closed', /^\+/);
  return client;
}

test('200 SMTP sessions are open at once, and each of them delivers', async () => {
  const clients = await crowd(SESSIONS, smtpSession);
  const answers = await Promise.all(
    clients.map(async (client, nth) => {
      await client.ask('MAIL FROM:<sender@far.example>');
      await client.ask('RCPT TO:<bob@demo.test>');
      await client.ask('DATA');
      return client.ask(`Subject: ${nth}\r\n\r\nbody\r\n.`);
    }),
  );
  assert.deepEqual(
    answers.filter((answer) => !answer.startsWith('250 ')),
    [],
  );
  for (const client of clients) client.close();
});

test('200 IMAP logins are idle at once, and each of them wakes', async () => {
  const clients = await crowd(SESSIONS, idleLogin);
  const sender = await smtpSession();
  await sender.ask('MAIL FROM:<sender@far.example>');
  await sender.ask('RCPT TO:<alice@demo.test>');
  await sender.ask('DATA');
  assert.match(await sender.ask('Subject: wake\r\n\r\nbody\r\n.'), /^250 /);
  const woken = await Promise.all(clients.map((client) => client.line()));
  assert.deepEqual(
    woken.filter((line) => line === undefined || !/^\* 1 EXISTS$/.test(line)),
    [],
  );
  for (const client of [...clients, sender]) client.close();
});

test('smtp-source -s 200 -m 2000 ends well', { skip: without('smtp-source') }, async () => {
  const place = `127.0.0.1:${port('smtp')}`;
  const who = ['-f', 'sender@far.example', '-t', 'trap@demo.test'];
  const { code, output } = await run(
    'smtp-source',
    ['-s', `${SESSIONS}`, '-m', `${SESSIONS * 10}`, ...who, place],
    { timeoutMs: 120_000 },
  );
  assert.equal(code, 0, output.slice(-500));
  const { address, password } = postern.server.ready.accounts.find(({ address: one }) =>
    one.startsWith('trap'),
  ) ?? { address: '', password: '' };
  const client = await LineClient.connectTls(port('imaps'));
  await client.line();
  await client.tagged('a', `LOGIN ${address} ${password}`);
  const arrived = await waitFor(async () => {
    const lines = await client.tagged('b', 'STATUS INBOX (MESSAGES)');
    return lines.some((line) => line.includes(`(MESSAGES ${SESSIONS * 10})`));
  }, 20_000);
  assert.ok(arrived, 'what was answered 250 is in the mailbox');
  client.close();
});
