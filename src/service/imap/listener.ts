/** What differs between the ports that speak IMAP. */

import type { ImapOptions } from '#protocol/imap/options.ts';
import type { Site } from '../site.ts';

/** What an IMAP session needs of the site: no door for mail, it comes by APPEND alone. */
export type ImapSite = Omit<Site, 'intake' | 'resolver' | 'leaves' | 'verifier' | 'signer'>;

export interface ImapListener {
  /** `imap`, `imaps`: for logs and metrics. */
  readonly name: string;
  /** What is not given has the default of IMAP_DEFAULTS. */
  readonly machine: Partial<ImapOptions>;
  /** The longest a session may last. */
  readonly sessionMs: number;
}
