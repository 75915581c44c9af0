/** What restrictions are made of beside their names: tables on disk, memories, counters. */

import type { Clock } from '#base/world.ts';
import type { AccessTable } from '../access/table.ts';
import type { Greylist } from '../limits/greylist.ts';
import type { Memory } from '../limits/memory.ts';

export interface Tools {
  /**
   * The table that `check_..._access` names (`/etc/postern/clients`, `hash:...`, `cidr:...`), as
   * it is now whenever it is called; or what is wrong with it.
   */
  table(name: string): (() => AccessTable) | string;
  /** The rest is missing where lists are only read, not used: then nothing is counted. */
  readonly clock?: Pick<Clock, 'elapsed'>;
  readonly greylist?: Greylist | undefined;
  /** Whom the accounts here have written to. */
  readonly written?: Memory | undefined;
  /** Authors whose DMARC the DNS left open, and since when. */
  readonly open?: Memory | undefined;
}
