/** What differs between the ports that speak IMAP. */

import type { ImapOptions } from '#protocol/imap/options.ts';

export interface ImapListener {
  /** `imap`, `imaps`: for logs and metrics. */
  readonly name: string;
  /** What is not given has the default of IMAP_DEFAULTS. */
  readonly machine: Partial<ImapOptions>;
  /** The longest a session may last. */
  readonly sessionMs: number;
}
