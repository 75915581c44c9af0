/** A check: one named weakness that a probe can find, declared once with all that never changes. */

/** From watching to disturbing: each level includes those before it. */
export const LEVELS = ['passive', 'safe', 'active', 'intrusive'] as const;
export type Level = (typeof LEVELS)[number];

export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a check is about; the first part of its id. */
export const GROUPS = [
  'fingerprint',
  'plaintext',
  'hygiene',
  'tls',
  'injection',
  'smuggling',
  'parsing',
  'limits',
  'users',
  'relay',
  'posture',
  'configuration',
  'exposure',
] as const;
export type Group = (typeof GROUPS)[number];

/** Servers whose configuration we know how to mend. */
export const PRODUCTS = [
  'postfix',
  'exim',
  'opensmtpd',
  'sendmail',
  'dovecot',
  'postern',
  /** No server: what the domain publishes. */
  'dns',
] as const;
export type Product = (typeof PRODUCTS)[number];

/** What to change in one server. */
export interface Cure {
  readonly product: Product;
  /**
   * Lines of its configuration as they should be, instead of those that are there; sentences where
   * no line cures it; `# place:` before lines that belong elsewhere than into its main file.
   */
  readonly lines: readonly string[];
}

/** The part of a finding that is the same everywhere; docs/checks.md is the list of these. */
export interface Check {
  /** Stable: `plaintext.auth-before-tls`; group, dot, words in lower case with hyphens. */
  readonly id: `${Group}.${string}`;
  /** The weakness as a short statement: `AUTH is offered before TLS`. */
  readonly title: string;
  /** Of a confirmed finding where nothing softens it; a finding may say another (ports differ). */
  readonly severity: Severity;
  /** What an attacker does with it, for someone who is no mail expert. */
  readonly means: string;
  /** What nobody should conclude from it. */
  readonly doesNotMean: string;
  /** Clauses like `RFC 5321 4.1.1.4`; empty where no standard speaks of it. */
  readonly rfc: readonly string[];
  readonly cures: readonly Cure[];
}

/** Whether a run at level `allowed` may do what needs level `needed`. */
export function allows(allowed: Level, needed: Level): boolean {
  return LEVELS.indexOf(needed) <= LEVELS.indexOf(allowed);
}

/** Orders severities: negative when `a` is milder than `b`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b);
}

/** The group of a check, read from its id. */
export function groupOf(check: Pick<Check, 'id'>): Group {
  const name = check.id.slice(0, check.id.indexOf('.'));
  return GROUPS.find((group) => group === name) ?? 'exposure';
}
