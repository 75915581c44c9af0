/** What the checks of injection at STARTTLS share: their cure, and how they are made. */

import type { Check, Cure, Severity } from '../../check.ts';

/** What was read before TLS must not be looked at under it. */
export const DROP_AT_TLS: readonly Cure[] = [
  { product: 'postfix', lines: ['Update: Postfix since 2.8 drops what came before TLS.'] },
  { product: 'exim', lines: ['smtp_enforce_sync = true', 'Update Exim.'] },
  { product: 'opensmtpd', lines: ['Update OpenSMTPD.'] },
  { product: 'sendmail', lines: ['Update sendmail: since 8.17 it refuses what comes too early.'] },
  { product: 'dovecot', lines: ['Update Dovecot: 2.3.14.1 and later drop the buffer.'] },
  { product: 'postern', lines: ['Such sessions are ended; update Postern.'] },
];

/** A check whose id begins with `injection.`. */
export function injectionCheck(
  id: string,
  severity: Severity,
  title: string,
  words: Pick<Check, 'means' | 'doesNotMean' | 'rfc'>,
): Check {
  return { id: `injection.${id}`, title, severity, ...words, cures: DROP_AT_TLS };
}
