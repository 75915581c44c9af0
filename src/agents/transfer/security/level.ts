/** How well mail to a destination must be protected, in Postfix' words. */

import type { Domain } from '#base/brand.ts';

/**
 * `none`: in clear. `may`: TLS where it works. `encrypt`: TLS with whatever certificate. `dane`:
 * as the TLSA records say, else `may`. `dane-only`: with TLSA records or not at all. `verify`: the
 * certificate must be good for the MX host, `secure`: for the domain of the address.
 */
export const LEVELS = ['none', 'may', 'encrypt', 'dane', 'dane-only', 'verify', 'secure'] as const;

export type SecurityLevel = (typeof LEVELS)[number];

/** Domains, `.parent` for all below it. */
export type LevelMaps = ReadonlyMap<string, SecurityLevel>;

/** The level that the operator gave this domain, or the nearest `.parent`, by name. */
export function mappedLevel(
  domain: Domain,
  maps: LevelMaps | undefined,
): SecurityLevel | undefined {
  let found = maps?.get(domain);
  let dot = domain.startsWith('[') ? -1 : domain.indexOf('.');
  while (found === undefined && dot >= 0) {
    found = maps?.get(domain.slice(dot));
    dot = domain.indexOf('.', dot + 1);
  }
  return found;
}
