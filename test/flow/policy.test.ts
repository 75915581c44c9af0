/** Policy on a running server: lists, tables, greylisting, budgets, early talkers, held mail. */

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LineClient } from '../world/line-client.ts';
import { waitFor } from '../world/postern.ts';
import { WholeServer } from '../world/whole-server.ts';

const BAD = '198.51.100.7';
const FINE = '203.0.113.9';
const UNKNOWN = '192.0.2.44';
const EARLY = '203.0.113.77';

const STRANGERS = `
smtpd_upstream_proxy_hosts = ["127.0.0.0/8"]
verify_senders = false
smtpd_greet_wait = "300ms"
smtpd_tarpit_time = "0s"
smtpd_client_unknown_limit = 4
greylist_delay = "1s"
smtpd_client_restrictions = ["check_client_access clients"]
smtpd_recipient_restrictions = [
  "reject_unauth_destination", "reject_unlisted_recipient",
  "check_client_access cidr:known", "defer_greylisted",
]
`;

/** Strangers, whom a proxy on loopback names. */
let strangers: WholeServer;
/** Users, straight. */
let users: WholeServer;
let folder: string;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-policy-'));
  writeFileSync(path.join(folder, 'clients'), `${BAD} REJECT 5.7.9 not from there\n`);
  writeFileSync(path.join(folder, 'known'), '203.0.113.0/24 OK\n');
  [strangers, users] = await Promise.all([
    WholeServer.start({ users: [], folder, settings: STRANGERS }),
    WholeServer.start({
      settings: 'account_message_limit = 2\nrelayhost = "127.0.0.1:1"\nminimal_backoff_time = "1h"',
    }),
  ]);
  const made = await strangers.run(
    ['account', 'add', 'ann@whole.test', '--password-stdin'],
    'a-b-c-d-e-f\n',
  );
  assert.equal(made.code, 0, made.output);
});

after(async () => {
  await strangers.stop();
  await users.stop();
});

test('a table of clients refuses, says which row in the ledger, and is read again', async () => {
  const refused = await send(BAD, 'one@bad.example');
  assert.match(refused, /^554 5\.7\.9 not from there/);
  const story = await told('one@bad.example', /check_client_access/);
  assert.match(story, /clients has "198\.51\.100\.7": not from there/);
  writeFileSync(path.join(folder, 'clients'), '# nobody\n');
  assert.ok(
    await waitFor(async () => !(await send(BAD, 'one@bad.example')).startsWith('554'), 5_000),
    'the table was not read again',
  );
});

test('greylisting: the first attempt waits, the retry passes, also after a restart', async () => {
  const first = await send('192.0.2.9', 'grey@far.example');
  assert.match(first, /^450 4\.7\.1 Greylisted, try again in \d second/);
  await told('grey@far.example', /defer_greylisted/);
  // The memory is written on the way down; another sender is the control.
  await strangers.running.stop();
  strangers.running = await strangers.running.restart();
  await sleep(1_100);
  assert.match(await send('192.0.2.10', 'grey@far.example'), /^250/);
  assert.match(await send('192.0.2.10', 'other@far.example'), /^450/);
});

test('who guesses names hears nothing any more, of known ones neither', async () => {
  const client = await connect(UNKNOWN);
  await client.ask('EHLO scan.example');
  await client.ask('MAIL FROM:<scan@far.example>');
  for (const name of ['a', 'b', 'c', 'd']) {
    assert.match(await client.ask(`RCPT TO:<${name}@whole.test>`), /^550 5\.1\.1/);
  }
  const known = await client.ask('RCPT TO:<ann@whole.test>');
  const unknown = await client.ask('RCPT TO:<e@whole.test>');
  assert.match(known, /^450 4\.7\.0/);
  assert.equal(known, unknown);
  client.close();
  await told('scan@far.example', /192\.0\.2\.0\/24 asked for more than 4 unknown recipients/);
  assert.match(await send(FINE, 'else@far.example'), /^250/, 'other networks are as before');
});

test('who talks before the greeting, or pipelines unasked, sends nothing', async () => {
  const rows: readonly (readonly [what: string, first: string])[] = [
    ['early', 'EHLO hurry.example\r\n'],
    ['patient', ''],
  ];
  for (const [what, first] of rows) {
    const client = await strangers.dial('smtp');
    client.send(`PROXY TCP4 ${EARLY} 192.0.2.1 4711 25\r\n${first}`);
    assert.match((await client.reply()).at(-1) ?? '', /^220/);
    if (first === '') await client.ask('EHLO calm.example');
    else await client.reply();
    const answer = await content(client, `${what}@far.example`);
    assert.match(answer, what === 'early' ? /^503 5\.5\.0/ : /^250/, what);
  }
  await told('early@far.example', /reject_unauth_pipelining/);
  const client = await connect(EARLY);
  client.send('HELO old.example\r\n');
  await client.reply();
  client.send('MAIL FROM:<group@far.example>\r\nRCPT TO:<ann@whole.test>\r\n');
  await client.reply();
  await client.reply();
  await client.ask('DATA');
  assert.match(await client.ask('Subject: x\r\n\r\nx\r\n.'), /^503 5\.5\.0/);
  client.close();
});

test('an account that suddenly sends is held with the reason, and goes on when released', async () => {
  const client = await users.smtp('submissions');
  for (const number of [1, 2, 3]) {
    await client.ask(`MAIL FROM:<${users.users[0]}>`);
    await client.ask('RCPT TO:<friend@away.example>');
    await client.ask('DATA');
    assert.match(await client.ask(`Subject: ${number}\r\n\r\nx\r\n.`), /^250/, 'never lost');
  }
  client.close();
  const list = await users.command('queue', 'list', '--json');
  const queued = JSON.parse(list.output) as { id: string; recipients: [Row] }[];
  assert.deepEqual(
    queued.map(({ recipients: [{ state }] }) => state),
    ['waiting', 'waiting', 'held'],
  );
  const held = queued[2] ?? assert.fail();
  assert.match(held.recipients[0].lastAnswer ?? '', /ann@whole\.test sent more than 2 messages/);
  assert.match(users.running.output(), /account_message_limit.*"event":"diverted"/);
  const story = await users.command('trace', held.id);
  assert.match(story.output, /account_message_limit/);
  const released = await users.command('queue', 'release', held.id);
  assert.equal(released.code, 0, released.output);
  const shown = await users.command('queue', 'show', held.id);
  assert.match(shown.output, /next try/);
});

interface Row {
  readonly state: string;
  readonly lastAnswer: string | null;
}

async function connect(from: string): Promise<LineClient> {
  const client = await strangers.dial('smtp');
  client.send(`PROXY TCP4 ${from} 192.0.2.1 4711 25\r\n`);
  assert.match((await client.reply()).at(-1) ?? '', /^220/);
  return client;
}

/** One message to ann: the first refusal, or the answer to the content. */
async function send(from: string, sender: string): Promise<string> {
  const client = await connect(from);
  await client.ask('EHLO mx.far.example');
  return content(client, sender);
}

async function content(client: LineClient, sender: string): Promise<string> {
  let answer = '';
  for (const line of [`MAIL FROM:<${sender}>`, 'RCPT TO:<ann@whole.test>', 'DATA']) {
    answer = await client.ask(line);
    if (!/^[23]/.test(answer)) break;
  }
  if (answer.startsWith('354')) answer = await client.ask('Subject: x\r\n\r\nx\r\n.');
  client.close();
  return answer;
}

/** What the ledger tells of a sender, once it says so. */
async function told(sender: string, what: RegExp): Promise<string> {
  const story = async (): Promise<string> =>
    (await strangers.command('trace', sender)).output.replace(/\s+/g, ' ');
  assert.ok(await waitFor(async () => what.test(await story()), 5_000), await story());
  return story();
}
