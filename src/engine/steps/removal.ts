/** Removes whole mailboxes, set by set: their contents lose all references at once. */

import type { Step } from './step.ts';

const RELEASE = `UPDATE contents SET refs = refs - gone.times,
  freed_ms = CASE WHEN refs = gone.times THEN ? END
  FROM (SELECT content, count(*) AS times FROM messages WHERE mailbox = ? GROUP BY content) AS gone
  WHERE contents.id = gone.content`;

export function removeMailboxes(step: Step, ids: readonly number[], nowMs: number): void {
  for (const id of ids) {
    step.sql.run(RELEASE, nowMs, id);
    step.sql.run('DELETE FROM messages WHERE mailbox = ?', id);
    step.sql.run('DELETE FROM tombstones WHERE mailbox = ?', id);
    step.sql.run('DELETE FROM search_blocks WHERE mailbox = ?', id);
    step.sql.run('DELETE FROM mailboxes WHERE id = ?', id);
    step.effects.mailboxes.add(id);
  }
}
