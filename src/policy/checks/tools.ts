/** What restrictions are made of beside their names: tables on disk, memories, counters. */

import type { AccessTable } from '../access/table.ts';

export interface Tools {
  /**
   * The table that `check_..._access` names (`/etc/postern/clients`, `hash:...`, `cidr:...`), as
   * it is now whenever it is called; or what is wrong with it.
   */
  table(name: string): (() => AccessTable) | string;
}
