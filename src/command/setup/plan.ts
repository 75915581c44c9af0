/** What `postern setup` sets up: the names and addresses that everything else follows from. */

import type { Domain } from '#base/brand.ts';

export interface SetupPlan {
  readonly domain: Domain;
  /** Of the server: its MX, its certificate, its HELO. */
  readonly hostname: Domain;
  /** Where the world reaches it. */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** The first account, which postmaster@ and abuse@ lead to, if it was named. */
  readonly account: string | undefined;
  readonly configuration: string;
  readonly dataDirectory: string;
}
