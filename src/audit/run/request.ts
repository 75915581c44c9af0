/** What a run is asked to do: targets, level, limits, and what the operator gave. */

import type { Level } from '../check.ts';
import type { Place, Port } from '../discover/discover.ts';
import type { Probe, ProbeOptions } from '../probe.ts';

export interface AuditRequest {
  /** As the operator named it. */
  readonly target: string;
  readonly places: readonly Place[];
  /** Domains whose DNS is looked at, and whose mail the places receive. */
  readonly domains: readonly string[];
  readonly level: Level;
  readonly authorisedBy: string | undefined;
  readonly probes: readonly Probe[];
  /** Ids of checks or their groups (`tls`, `tls.expired`); undefined: all. */
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly options: Omit<ProbeOptions, 'replyMs' | 'domains'>;
  /** Of Postern, for the report. */
  readonly version: string;
  /** For all probes together; what is left over is inconclusive. Default: by level and distance. */
  readonly totalMs?: number;
  /** Told as it goes on; must not throw. */
  readonly progress?: (event: Progress) => void;
}

export type Progress =
  | { readonly kind: 'port'; readonly host: string; readonly port: Port }
  /** Tasks are probes at targets; `name` has just ended. */
  | { readonly kind: 'task'; readonly name: string; readonly done: number; readonly of: number };

/** Whether a check is asked for. */
export function isChosen(id: string, { only, skip }: Pick<AuditRequest, 'only' | 'skip'>): boolean {
  const names = (list: readonly string[]): boolean =>
    list.some((word) => id === word || id.startsWith(`${word}.`));
  return (only === undefined || names(only)) && !(skip !== undefined && names(skip));
}
