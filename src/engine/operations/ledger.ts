/** ledger: entries that belong to no other operation (sessions, refusals, administration). */

import { writeLedger } from '../steps/ledger.ts';
import type { Run } from '../steps/step.ts';

export const ledger: Run<'ledger'> = (step, { entries }) => {
  writeLedger(step, entries);
  return { kind: 'done' };
};
