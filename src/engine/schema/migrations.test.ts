/** Files of the first schema come to the newest one with everything that is in them. */

import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { mkdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContentId, MailboxId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { START_MS, messageOf, openTestStore, temporaryDirectory } from '#test/engine/fixture.ts';
import { BlockChecks } from '../checks.ts';
import { initial } from './0001-initial.ts';

const INBOX = 1 as MailboxId;
const ARCHIVE = 2 as MailboxId;
const HEAD = 'Subject: old\r\n\r\n';
const FILE = 'x'.repeat(70_000);

/** Contents 1 (one reference), 2 (two), 3 (freed), 4 (a file), 5 (a head alone), 9 was removed. */
function writeOldStore(directory: string): void {
  mkdirSync(join(directory, 'spool'), { recursive: true, mode: 0o700 });
  const checks = new BlockChecks();
  checks.add(utf8(FILE));
  writeFileSync(join(directory, 'spool', 'body'), FILE);
  const old = new DatabaseSync(join(directory, 'postern.db'));
  old.exec(initial.sql);
  old.exec(`
    INSERT INTO domains VALUES ('demo.test', NULL, NULL);
    INSERT INTO accounts VALUES (1, 'alice@demo.test', 'demo.test', 1, 0, 'x', x'01', 1, x'02', x'03');
    INSERT INTO mailboxes (id, account, name, uid_validity, uid_next, messages, unseen)
      VALUES (1, 1, 'INBOX', 7, 5, 4, 4), (2, 1, 'Archive', 8, 2, 1, 1);
    INSERT INTO ledger VALUES (1, ${START_MS}, 'session', 's1', 'q1', '["a@x"]', '{}');
    INSERT INTO ledger_keys VALUES (1, 17, 1);
    UPDATE meta SET value = 1 WHERE name = 'indexed';`);
  old.prepare(`INSERT INTO files VALUES (1, 'body', 70000, ?, 1)`).run(checks.finish());
  const content = old.prepare(`INSERT INTO contents (id, size_bytes, head_bytes, refs, freed_ms,
    checked, file, subject, sender, recipient, copied, blind, envelope, body_structure, parts)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'old', '', '', '', '', x'28', x'29', '[]')`);
  const octets = old.prepare('INSERT INTO octets VALUES (?, ?)');
  const put = (id: number, refs: number, body: string, inFile = false): void => {
    const inline = utf8(inFile ? HEAD : HEAD + body);
    const freedMs = refs === 0 ? START_MS : null;
    const size = HEAD.length + body.length;
    content.run(id, size, HEAD.length, refs, freedMs, crc32(inline), inFile ? 1 : null);
    octets.run(id, inline);
  };
  put(1, 1, 'one\r\n');
  put(2, 2, 'two\r\n');
  put(3, 0, 'three\r\n');
  put(4, 1, FILE, true);
  put(5, 1, '');
  put(9, 1, 'nine');
  old.exec('DELETE FROM contents WHERE id = 9; DELETE FROM octets WHERE content = 9');
  const message = old.prepare(`INSERT INTO messages VALUES (?, ?, 1, 0, NULL, 0, 0, 21, 16, ?, 1)`);
  for (const [uid, id] of [1, 2, 4, 5].entries()) message.run(INBOX, uid + 1, id);
  message.run(ARCHIVE, 1, 2);
  old.close();
}

test('a store of the first schema keeps its mail, its references and its numbers', async (t) => {
  const directory = join(temporaryDirectory(t), 'store');
  writeOldStore(directory);
  const it = await openTestStore(t, { directory });
  const octets = async (id: number, from = 0, bytes = 100_000): Promise<string> =>
    latin1(await it.store.mail.octets(id as ContentId, from, bytes));
  assert.equal(await octets(1), `${HEAD}one\r\n`);
  assert.equal(await octets(2), `${HEAD}two\r\n`);
  assert.equal(await octets(3), `${HEAD}three\r\n`);
  assert.equal(await octets(4), HEAD + FILE);
  assert.equal(await octets(5), HEAD);
  assert.deepEqual(
    it.row(`SELECT group_concat(id || ':' || refs || ':' || coalesce(freed_ms, '')) FROM
      (SELECT * FROM content_references ORDER BY id)`),
    [`1:1:,2:2:,3:0:${START_MS},4:1:,5:1:`],
  );
  await it.do('append', { mailbox: INBOX, messages: [messageOf()] });
  assert.deepEqual(it.row('SELECT max(id) FROM contents'), [10], 'an id is never used twice');
  assert.equal((await it.store.ledger.trace('a@x', 9)).length, 1);
  const nowMs = it.clock.nowMs + 2 * 3_600_000;
  await it.do('expunge', { mailbox: ARCHIVE, uids: undefined, onlyDeleted: false, nowMs });
  assert.deepEqual(it.row('SELECT refs FROM content_references WHERE id = 2'), [1]);
  await it.do('sweep', { nowMs, ledgerDays: 30 });
  await assert.rejects(octets(3), { code: 'no-such-content' });
  assert.equal(await octets(2), `${HEAD}two\r\n`);
  const [old] = await it.store.mail.summaries(INBOX, [[1, 1]], { limit: 1, parts: ['head'] });
  assert.ok(old?.lacking, 'a head without a check number of its own is read with the whole');
});
