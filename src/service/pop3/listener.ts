/** What differs between the ports that speak POP3, and what all their sessions share. */

import type { Pop3Options } from '#protocol/pop3/options.ts';
import type { MaildropLocks } from './locks.ts';

export interface Pop3Listener {
  /** `pop3`, `pop3s`: for logs and metrics. */
  readonly name: string;
  readonly machine: Partial<Pop3Options>;
  /** One for all listeners: a maildrop is locked whichever way it is opened. */
  readonly locks: MaildropLocks;
  /** The longest a session may last. */
  readonly sessionMs: number;
  /** Messages of one maildrop that a session lists, the oldest first; default a million. */
  readonly maxMessages?: number;
}
