/** What transfer is told about security: levels, policies of others, and who counts sessions. */

import type { StsPolicies } from '#trust/mta-sts/policies.ts';
import type { TlsSession } from '#trust/tls-rpt/words.ts';
import type { LevelMaps, SecurityLevel } from './level.ts';

export interface SecurityOptions {
  /** Default `may`. */
  readonly level?: SecurityLevel;
  /** Levels of some domains: they hold whatever the domain publishes as MTA-STS policy. */
  readonly levelMaps?: LevelMaps;
  /** Policies of other domains; without it none is asked for. */
  readonly sts?: Pick<StsPolicies, 'policyFor'> | undefined;
  /** Told of each session, for reports (RFC 8460). */
  readonly counted?: (session: TlsSession) => void;
}
