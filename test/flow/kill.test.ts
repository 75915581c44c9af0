/** kill -9 under load, again and again: what got a 250 is there once, nothing is there twice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineClient } from '../world/line-client.ts';
import { type Running, startPostern, waitFor } from '../world/postern.ts';

const ROUNDS = Number(process.env['POSTERN_KILL_ROUNDS'] ?? 4);
const SESSIONS = 8;

/** What each client step came to: the history that is checked in the end. */
interface History {
  readonly ok: Set<string>;
  readonly unknown: Set<string>;
}

test('nothing that got a 250 is lost or doubled by kill -9 under load', async () => {
  let server = await startPostern();
  const history: History = { ok: new Set(), unknown: new Set() };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const clients = Array.from({ length: SESSIONS }, (_, n) =>
        load(server, `r${round}s${n}`, history),
      );
      const enough = history.ok.size + 10 + ((round * 37) % 50);
      await waitFor(() => history.ok.size >= enough, 10_000);
      await sleep(round % 3);
      server.child.kill('SIGKILL');
      await Promise.all(clients);
      server = await server.restart();
    }
    const found = await bodies(server);
    assert.ok(history.ok.size > 20, `only ${history.ok.size} messages were accepted`);
    assert.deepEqual(verdict(history, found), { lost: [], doubled: [], invented: [] });
  } finally {
    await server.stop();
    server.remove();
  }
});

test('the check itself can fail: a lost, a doubled and an invented message are seen', () => {
  const history: History = { ok: new Set(['a', 'b']), unknown: new Set(['c']) };
  assert.deepEqual(verdict(history, ['b', 'b', 'c', 'z']), {
    lost: ['a'],
    doubled: ['b'],
    invented: ['z'],
  });
});

function verdict(history: History, found: readonly string[]): Record<string, string[]> {
  const counts = new Map<string, number>();
  for (const id of found) counts.set(id, (counts.get(id) ?? 0) + 1);
  return {
    lost: [...history.ok].filter((id) => !counts.has(id)),
    doubled: [...counts].filter(([, count]) => count > 1).map(([id]) => id),
    invented: [...counts.keys()].filter((id) => !history.ok.has(id) && !history.unknown.has(id)),
  };
}

/** Sends until the server is gone; the message that was under way then is unknown. */
async function load(server: Running, name: string, history: History): Promise<void> {
  const { domain, listeners } = server.ready;
  let current = '';
  try {
    const client = await LineClient.connect(listeners['smtp']?.port ?? 0);
    await client.reply();
    await client.ask('EHLO load.test');
    for (let n = 0; ; n += 1) {
      const id = `${name}n${n}`;
      await client.ask('MAIL FROM:<load@load.test>');
      await client.ask(`RCPT TO:<alice@${domain}>`);
      await client.ask('DATA');
      current = id;
      history.unknown.add(id);
      const answer = await client.ask(`Subject: load\r\n\r\nid=${id}=\r\n.`);
      if (!answer.startsWith('250')) throw new Error(answer);
      history.ok.add(id);
      history.unknown.delete(id);
      current = '';
    }
  } catch (error) {
    const answer = error instanceof Error ? error.message : '';
    if (current !== '' && /^[45]/.test(answer)) history.unknown.delete(current);
  }
}

/** The ids of all messages in alice's INBOX, by IMAP. */
async function bodies(server: Running): Promise<string[]> {
  const { accounts, listeners } = server.ready;
  const client = await LineClient.connectTls(listeners['imaps']?.port ?? 0);
  await client.line();
  const { address, password } = accounts[0]!;
  await client.tagged('a', `LOGIN "${address}" "${password}"`);
  await client.tagged('b', 'EXAMINE INBOX');
  const lines = await client.tagged('c', 'FETCH 1:* (BODY.PEEK[TEXT])');
  client.close();
  return lines.flatMap((line) => /id=([^=]+)=/.exec(line)?.[1] ?? []);
}
