/** What `postern setup` sets up: the names and addresses that everything else follows from. */

import type { Domain } from '#base/brand.ts';

export interface SetupPlan {
  readonly domain: Domain;
  /** Of the server: its MX, its certificate, its HELO. */
  readonly hostname: Domain;
  /** Where the world reaches it. */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** The first account, which postmaster@ and abuse@ lead to. */
  readonly account: string;
  readonly configuration: string;
  readonly dataDirectory: string;
}

/** Addresses that no stranger reaches: not to be published. */
export function isPublicAddress(address: string): boolean {
  return !PRIVATE.test(address);
}

const PRIVATE =
  /^(?:0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1?$|f[cd]|fe[89ab])/i;
