/** The ledger as tests look into it. */

import type { LedgerEntry } from '#store/ledger.ts';
import type { Store } from '#store/store.ts';

const TRIES = 200;

/** What the ledger has under a key; entries are written soon after what they tell of. */
export async function tracedUntilTold(
  store: Pick<Store, 'ledger'>,
  key: string,
): Promise<readonly LedgerEntry[]> {
  for (let tries = 1; ; tries += 1) {
    const entries = await store.ledger.trace(key, 100);
    if (entries.length > 0 || tries === TRIES) return entries;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
