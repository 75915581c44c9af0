/** Removes whole mailboxes, set by set: their contents lose all references at once. */

import { releaseAll } from './references.ts';
import type { Step } from './step.ts';

const LARGEST_UID = 0xffff_ffff;

export function removeMailboxes(step: Step, ids: readonly number[], nowMs: number): void {
  for (const id of ids) {
    releaseAll(step, [id, 1, LARGEST_UID, 0], nowMs);
    step.sql.run('DELETE FROM messages WHERE mailbox = ?', id);
    step.sql.run('DELETE FROM tombstones WHERE mailbox = ?', id);
    step.sql.run('DELETE FROM search_blocks WHERE mailbox = ?', id);
    step.sql.run('DELETE FROM mailboxes WHERE id = ?', id);
    step.effects.mailboxes.add(id);
  }
}
