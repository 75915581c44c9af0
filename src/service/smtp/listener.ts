/** What differs between the ports that speak SMTP: who may come, and how. */

import type { SmtpServerOptions } from '#protocol/smtp/server/options.ts';
import type { Gate } from '#policy/gate.ts';

export interface SmtpListener {
  /** `smtp`, `submission`, `submissions`, `lmtp`: for logs and the ledger. */
  readonly name: string;
  readonly mode: 'smtp' | 'submission' | 'lmtp';
  readonly machine: SmtpServerOptions;
  readonly gate: Gate;
  /** The longest a session may last. */
  readonly sessionMs: number;
  /** Let logged-in users ask VRFY and EXPN (RFC 5321 3.5). */
  readonly verifyForUsers: boolean;
}
