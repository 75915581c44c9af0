/** settle: ends or postpones queue rows and takes in the notices about them, in one step. */

import type { Settlement } from '#store/operations.ts';
import { takeIn } from '../steps/delivery.ts';
import { writeLedger } from '../steps/ledger.ts';
import { dequeueIfDone, findQueued } from '../steps/queue.ts';
import type { Run, Step } from '../steps/step.ts';

const DEFER = `UPDATE queue_recipients SET attempts = attempts + 1, next_ms = ?, last_answer = ?,
  delay_notified = ? WHERE message = ? AND number = ?`;
const END = 'DELETE FROM queue_recipients WHERE message = ? AND number = ?';

/** Rows that were dropped by hand meanwhile have no notices: nobody waits for them. */
export const settle: Run<'settle'> = (step, { id, settlements, notices, ledger }) => {
  const message = findQueued(step, id);
  let changed = 0;
  if (message !== undefined) {
    for (const settlement of settlements) changed += settleRow(step, message, settlement);
    dequeueIfDone(step, message);
  }
  if (changed > 0 || settlements.length === 0) {
    for (const notice of notices) takeIn(step, notice);
  }
  writeLedger(step, ledger);
  // Rows that ended make nobody look.
  step.effects.queue ||= notices.length > 0 || settlements.some(({ kind }) => kind !== 'done');
  return { kind: 'done' };
};

function settleRow(step: Step, message: number, settlement: Settlement): number {
  if (settlement.kind === 'done') return step.sql.run(END, message, settlement.number);
  return step.sql.run(
    DEFER,
    settlement.nextMs,
    settlement.lastAnswer,
    settlement.delayNotified ? 1 : 0,
    message,
    settlement.number,
  );
}
