/** The ledger as tests look into it. */

import assert from 'node:assert/strict';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Json } from '#base/json.ts';
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

/**
 * What the one refused session of an account says was refused, after it was checked that a listener
 * of this machine was it and that the ledger has none of `secrets`.
 */
export async function refusalsOf(
  store: Pick<Store, 'ledger'>,
  account: string,
  expected: { readonly listener: string; readonly secrets: RegExp },
): Promise<Json | undefined> {
  const entries = await tracedUntilTold(store, account);
  assert.deepEqual(
    entries.map(({ kind, session }) => [kind, session]),
    [['refused', 'S']],
  );
  const { client, listener, refusals } = entries[0]?.facts ?? {};
  assert.deepEqual([client, listener], ['127.0.0.1', expected.listener]);
  assert.doesNotMatch(JSON.stringify(entries), expected.secrets);
  return refusals;
}
