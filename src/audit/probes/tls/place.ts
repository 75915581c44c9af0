/** What the probes of TLS share: how a check is made, and how grave it is at which port. */

import type { Check, Cure, Severity } from '../../check.ts';
import type { Service } from '../../service.ts';

export interface TlsWords {
  readonly means: string;
  readonly doesNotMean: string;
  readonly rfc: readonly string[];
}

/** A check whose id begins with `tls.`. */
export function tlsCheck(
  id: string,
  severity: Severity,
  title: string,
  words: TlsWords,
  cures: readonly Cure[],
): Check {
  return { id: `tls.${id}`, title, severity, ...words, cures };
}

/**
 * Strangers' servers on port 25 (and LMTP, inside) take any TLS or none: what is weak there is
 * still better than clear text (RFC 7435 3), while a user's program has a password to lose.
 */
export function severityAt({ role }: Pick<Service, 'role'>, severity: Severity): Severity {
  if (role === 'submission' || role === 'access') return severity;
  return severity === 'critical' || severity === 'high' ? 'low' : 'info';
}

/** For `fits`: whatever speaks TLS. */
export function hasTls({ tls }: Service): boolean {
  return tls !== 'none';
}
