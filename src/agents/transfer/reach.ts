/** Which addresses a stranger's DNS may send us to: none of this machine, none of our own networks. */

import { scopeOf } from '#base/ip.ts';

export interface Reach {
  /** This machine itself: demo and tests. It permits all the rest, too. */
  readonly permitLoopback: boolean;
  /** Hosts in private networks: a site with names of its own. */
  readonly permitPrivate: boolean;
}

/**
 * Whether anybody may name this address. A stranger who names one of ours would have us knock where
 * only we can: at hosts that trust this one, at the metadata of a cloud.
 */
export function isReachable(address: string, reach: Reach): boolean {
  if (reach.permitLoopback) return true;
  const scope = scopeOf(address);
  return scope === 'world' || (scope === 'site' && reach.permitPrivate);
}
