/** How ledger entries are found: by a hash of each key. */

/** What a key names. */
export type KeyKind = 'queue' | 'session' | 'key';

const SEEDS: Readonly<Record<KeyKind, number>> = { queue: 1, session: 2, key: 3 };

/**
 * 53 bits of a key in lower case. Whoever reads compares the key itself too, so a stranger who
 * makes two keys meet wins nothing; that is why it may be this cheap.
 */
export function keyHash(kind: KeyKind, key: string): number {
  const text = key.toLowerCase();
  let high = 0xdeadbeef ^ SEEDS[kind];
  let low = 0x41c6ce57 ^ SEEDS[kind];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x85ebca77);
    low = Math.imul(low ^ code, 0xc2b2ae3d);
  }
  high = Math.imul(high ^ (high >>> 15), 0x735a2d97) ^ Math.imul(low ^ (low >>> 13), 0xcaf649a9);
  low = Math.imul(low ^ (low >>> 15), 0x735a2d97) ^ Math.imul(high ^ (high >>> 13), 0xcaf649a9);
  return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
}
