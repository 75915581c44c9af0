/** A process that is killed while it writes loses nothing that it acknowledged. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { latin1 } from '#base/bytes.ts';
import { addAccount, mailboxOf, openTestStore } from '#test/engine/fixture.ts';

const WRITER = fileURLToPath(new URL('../../test/engine/crash-writer.ts', import.meta.url));

/** Starts the writer, kills it once it has acknowledged `count`, and says which those were. */
async function writeAndKill(directory: string, start: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, directory, String(start)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let killed = false;
  child.stdout.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
    if (!killed && text.split('\n').length > count) killed = child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('close', resolve));
  assert.ok(killed, 'the writer ended by itself');
  return text.slice(0, text.lastIndexOf('\n')).split('\n');
}

test('SIGKILL during load: everything acknowledged is there, once', async (t) => {
  const first = await openTestStore(t);
  const account = await addAccount(first);
  const { directory } = first;
  await first.store.close();
  const acknowledged: string[] = [];
  for (const start of [0, 10_000, 20_000]) {
    acknowledged.push(...(await writeAndKill(directory, start, 150)));
  }
  assert.ok(acknowledged.length >= 450);
  const it = await first.reopen();
  const inbox = await mailboxOf(it, account);
  const messages = await it.store.mail.messages(inbox.id, [[1, inbox.uidNext]], {
    limit: 100_000,
    details: ['search'],
  });
  const subjects = messages.map(({ search }) => search!.subject);
  assert.equal(new Set(subjects).size, subjects.length, 'none twice');
  const found = new Set(subjects);
  assert.deepEqual(
    acknowledged.filter((id) => !found.has(id)),
    [],
    'none lost',
  );
  assert.equal(inbox.messages, messages.length);
  for (const message of messages) {
    const octets = await it.store.mail.octets(message.content, 0, message.sizeBytes);
    assert.equal(octets.length, message.sizeBytes);
    assert.match(
      latin1(octets),
      new RegExp(`^Subject: ${message.search!.subject}\r\n\r\n(?:body|aaa)`),
    );
  }
  assert.deepEqual(it.row('PRAGMA integrity_check'), ['ok']);
  const [files] = it.row('SELECT count(*) FROM files') as [number];
  assert.ok(files > 0 && readdirSync(join(directory, 'spool')).length >= files);
  assert.ok(existsSync(join(directory, 'postern.db')));
});
