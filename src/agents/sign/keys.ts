/** The private keys that this server signs with, as its agents know them. */

import type { Domain } from '#base/brand.ts';
import type { SigningKey } from '#trust/dkim/sign.ts';

/** Read anew when somebody makes, rotates or retires a key: what is asked now holds for now. */
export interface SigningKeys {
  /** Whether there is any key: without one no body is hashed for a signature. */
  hasAny(): boolean;
  /** The keys that sign for exactly this domain now, RSA first; often empty. */
  of(domain: Domain): readonly SigningKey[];
}

export const NO_KEYS: SigningKeys = { hasAny: () => false, of: () => [] };

/**
 * The keys that speak for an author: its domain's, else those of the nearest domain above it,
 * which is aligned with it (RFC 9989 4.4 relaxed).
 */
export function keysFor(keys: SigningKeys, domain: Domain): readonly SigningKey[] {
  if (!keys.hasAny()) return [];
  let name: string = domain;
  while (name.includes('.')) {
    const found = keys.of(name as Domain);
    if (found.length > 0) return found;
    name = name.slice(name.indexOf('.') + 1);
  }
  return [];
}
