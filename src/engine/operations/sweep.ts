/** sweep: frees contents without a reference, old tombstones and old ledger entries. */

import { GRACE_MS, TOMBSTONE_MS } from '../options.ts';
import { forgetBuckets } from '../steps/ledger.ts';
import type { Run, Step } from '../steps/step.ts';

const DAY_MS = 86_400_000;
/** The block that tells of a UID, when nothing that it tells of is there any more. */
const FORGET_BLOCK = `DELETE FROM search_blocks WHERE mailbox = ?1 AND last_uid =
  (SELECT last_uid FROM search_blocks WHERE mailbox = ?1 AND last_uid >= ?2 ORDER BY last_uid LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.mailbox = ?1
    AND uid BETWEEN first_uid AND last_uid)`;

/**
 * At most `sweptRows` of each kind, so that mail does not wait: call again while a number is at
 * the limit. Files that no row names are looked for after the commit (see orphans).
 */
export const sweep: Run<'sweep'> = (step, { nowMs, ledgerDays }) => {
  const contents = freeContents(step, nowMs - GRACE_MS);
  forgetTombstones(step, nowMs - TOMBSTONE_MS);
  const entries = forgetEntries(step, nowMs - ledgerDays * DAY_MS);
  return { kind: 'swept', contents, entries };
};

function freeContents(step: Step, beforeMs: number): number {
  const rows = step.sql.rows<[id: number, file: number | null]>(
    `SELECT id, file FROM freed JOIN contents ON contents.id = freed.content
     WHERE freed_ms <= ? ORDER BY freed_ms LIMIT ? + 0`,
    beforeMs,
    step.limits.sweptRows,
  );
  for (const [id, file] of rows) {
    step.sql.run('DELETE FROM freed WHERE content = ?', id);
    step.sql.run('DELETE FROM octets WHERE content = ?', id);
    step.sql.run('DELETE FROM contents WHERE id = ?', id);
    if (file !== null) releaseFile(step, file);
  }
  return rows.length;
}

function releaseFile(step: Step, file: number): void {
  const row = step.sql.row<[refs: number, name: string]>(
    'UPDATE files SET refs = refs - 1 WHERE id = ? RETURNING refs, name',
    file,
  );
  if (row === undefined || row[0] > 0) return;
  step.sql.run('DELETE FROM files WHERE id = ?', file);
  step.effects.unlinked.push(row[1]);
}

/** What vanished before `forgotten_modseq` is no longer known; readers then say it otherwise. */
function forgetTombstones(step: Step, beforeMs: number): void {
  const rows = step.sql.rows<[mailbox: number, uid: number, modSeq: number]>(
    `SELECT mailbox, uid, modseq FROM tombstones WHERE expunged_ms <= ?
     ORDER BY expunged_ms LIMIT ? + 0`,
    beforeMs,
    step.limits.sweptRows,
  );
  for (const [mailbox, uid, modSeq] of rows) {
    step.sql.run(FORGET_BLOCK, mailbox, uid);
    step.sql.run('DELETE FROM tombstones WHERE mailbox = ? AND uid = ?', mailbox, uid);
    step.sql.run(
      'UPDATE mailboxes SET forgotten_modseq = max(forgotten_modseq, ?) WHERE id = ?',
      modSeq,
      mailbox,
    );
  }
}

/** Entries were written about in the order of their time: the first young one ends it. */
function forgetEntries(step: Step, beforeMs: number): number {
  const oldest = step.sql.rows<[id: number, atMs: number]>(
    'SELECT id, at_ms FROM ledger ORDER BY id LIMIT ? + 0',
    step.limits.sweptRows,
  );
  let count = 0;
  for (const [id, atMs] of oldest) {
    if (atMs >= beforeMs) break;
    count += step.sql.run('DELETE FROM ledger WHERE id = ?', id);
  }
  forgetBuckets(step);
  return count;
}
