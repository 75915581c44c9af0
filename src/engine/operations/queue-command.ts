/** queueCommand: what an operator does to a queued message by hand. */

import { writeLedger } from '../steps/ledger.ts';
import { dequeueIfDone, findQueued } from '../steps/queue.ts';
import type { Run } from '../steps/step.ts';

/** The time that a message was held is none of those in which it was tried. */
const RELEASE = `UPDATE queue_recipients SET held = 0, next_ms = ?1, expires_ms = max(expires_ms,
  ?1 + expires_ms - (SELECT accepted_ms FROM queue_messages WHERE queue_messages.number = message))
  WHERE message = ?2 AND held = 1`;

/** `release` makes rows due at once too; `retry` leaves held rows held. */
export const queueCommand: Run<'queueCommand'> = (step, { id, action, nowMs, ledger }) => {
  const message = findQueued(step, id);
  if (message === undefined) return { kind: 'no-such-message' };
  switch (action) {
    case 'retry':
      step.sql.run(
        'UPDATE queue_recipients SET next_ms = ? WHERE message = ? AND held = 0',
        nowMs,
        message,
      );
      break;
    case 'hold':
      step.sql.run('UPDATE queue_recipients SET held = 1 WHERE message = ?', message);
      break;
    case 'release':
      step.sql.run(RELEASE, nowMs, message);
      break;
    default:
      step.sql.run('DELETE FROM queue_recipients WHERE message = ?', message);
      dequeueIfDone(step, message);
  }
  writeLedger(step, ledger);
  step.effects.queue = true;
  return { kind: 'done' };
};
