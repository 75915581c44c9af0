/** Our own record as an anchor: which Received lines this server really wrote. */

import type { LedgerQuestion } from '#forensics/examine.ts';
import type { Context } from '../command.ts';

const ENTRIES = 50;

/** Opens the store until `close`; a line counts if a message was accepted under its id. */
export async function ledgerQuestion(
  context: Context,
): Promise<{ readonly ask: LedgerQuestion; readonly close: () => Promise<void> }> {
  const store = await context.openStore();
  const { myhostname: hostname } = await context.settings();
  const ask: LedgerQuestion = async (id, by) => {
    if (by.toLowerCase() !== hostname.toLowerCase()) return undefined;
    const entries = await store.ledger.trace(id, ENTRIES);
    const accepted = entries.find(({ kind, queueId }) => kind === 'accepted' && queueId === id);
    if (accepted === undefined) return undefined;
    const client = accepted.facts['client'];
    const clientAddress = typeof client === 'string' ? client : undefined;
    return { clientAddress, helo: undefined, atMs: accepted.atMs };
  };
  return { ask, close: async () => void (await store.close()) };
}
