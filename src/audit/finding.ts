/** Findings: what a run says about each check at each target, with the octets that show it. */

import type { JsonObject } from '#base/json.ts';
import type { Check, Cure, Group, Level, Product, Severity } from './check.ts';
import type { Exchange } from './wire/exchange.ts';

export type { Exchange, Turn } from './wire/exchange.ts';

/**
 * `confirmed`: shown, with controls. `likely`: seen, one explanation is left. `inconclusive`:
 * could not be told, for a reason. `not-observed`: tried, and not there.
 */
export type Confidence = 'confirmed' | 'likely' | 'inconclusive' | 'not-observed';

export type Protocol = 'smtp' | 'lmtp' | 'imap' | 'pop3' | 'sieve';

/** Where a finding was made: plain data, for reports. */
export interface Target {
  /** As it was asked for: a name or an address. */
  readonly host: string;
  /** The IP address that was connected to; empty for what is read from the DNS alone. */
  readonly address: string;
  /** 0 for what belongs to no port. */
  readonly port: number;
  readonly protocol: Protocol | 'dns' | 'host' | 'configuration';
  /** How TLS begins there. */
  readonly tls: 'none' | 'starttls' | 'implicit';
}

/** How often the same thing was tried, and how often it answered as the verdict needs it. */
export interface Controls {
  /** The plain case works: the test itself can run. */
  readonly sanity?: Count;
  /** Cases that must not show the weakness, and did not. */
  readonly negative?: Count;
  /** Cases known to show it, and did. */
  readonly positive?: Count;
  /** The probe itself, repeated. */
  readonly repeated?: Count;
}

export interface Count {
  readonly passed: number;
  readonly of: number;
}

/** What a probe says of one check. Made by `found`, `absent`, `unclear`, `inapplicable`. */
export interface Outcome {
  readonly check: Check;
  readonly confidence: Confidence;
  /** One sentence with what was seen here, or why it could not be told. */
  readonly seen: string;
  readonly severity: Severity;
  readonly evidence: readonly Exchange[];
  readonly controls: Controls;
  /** More facts for machines: names, replies, counts. */
  readonly details: JsonObject;
}

/** What may be said beside the sentence. */
export interface Extra {
  readonly severity?: Severity;
  readonly evidence?: readonly Exchange[];
  readonly controls?: Controls;
  readonly details?: JsonObject;
}

/** One line of a report: everything about one check at one target. Plain data, JSON as it is. */
export interface Finding {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  readonly level: Level;
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly seen: string;
  readonly means: string;
  readonly doesNotMean: string;
  readonly rfc: readonly string[];
  readonly target: Target;
  readonly controls: Controls;
  readonly details: JsonObject;
  readonly evidence: readonly Exchange[];
  /** The product the fingerprint told; its cure comes first. */
  readonly product: Product | 'unknown';
  readonly cures: readonly Cure[];
  /** ISO 8601. */
  readonly at: string;
}

/** The weakness is there. */
export function found(check: Check, seen: string, extra: Extra = {}): Outcome {
  return outcome(check, 'confirmed', seen, extra);
}

/** The weakness seems to be there; the sentence says what else it could be. */
export function likely(check: Check, seen: string, extra: Extra = {}): Outcome {
  return outcome(check, 'likely', seen, extra);
}

/** It was tried, and is not there. */
export function absent(check: Check, seen: string, extra: Extra = {}): Outcome {
  return outcome(check, 'not-observed', seen, extra);
}

/** It could not be told, and why. Never use it for "probably fine". */
export function unclear(check: Check, reason: string, extra: Extra = {}): Outcome {
  return outcome(check, 'inconclusive', reason, extra);
}

/** There is nothing here that could have it: no AUTH, no TLS, another protocol. */
export function inapplicable(check: Check, reason: string): Outcome {
  return outcome(check, 'not-observed', `not applicable: ${reason}`, {
    details: { applicable: false },
  });
}

/** Whether a finding says that the weakness is there. */
export function isFound(finding: Pick<Finding, 'confidence'>): boolean {
  return finding.confidence === 'confirmed' || finding.confidence === 'likely';
}

function outcome(check: Check, confidence: Confidence, seen: string, extra: Extra): Outcome {
  return {
    check,
    confidence,
    seen,
    severity: extra.severity ?? check.severity,
    evidence: extra.evidence ?? [],
    controls: extra.controls ?? {},
    details: extra.details ?? {},
  };
}
