/** What an SPF check is limited by and what comes of it (RFC 7208 2.6, 4.6.4). */

import type { DnsFact } from '#trust/questions.ts';

/** RFC 7208 2.6. */
export type SpfResult =
  | 'none'
  | 'neutral'
  | 'pass'
  | 'fail'
  | 'softfail'
  | 'temperror'
  | 'permerror';

export interface SpfOutcome {
  readonly result: SpfResult;
  /** The domain that was asked about. */
  readonly domain: string;
  /** The directive that matched, as published; `default` where none did (RFC 7208 9.1). */
  readonly mechanism: string;
  /** In words, printable: what matched, or what went wrong. */
  readonly why: string;
  /** What the domain's owner says of a fail: printable ASCII, cut; to be marked as theirs. */
  readonly explanation?: string;
  /** Every question to the DNS with its answer. */
  readonly lookups: readonly DnsFact[];
}

export interface SpfLimits {
  /** Terms that ask the DNS (RFC 7208 4.6.4). Default 10. */
  readonly terms?: number;
  /** Of them, those without any answer (RFC 7208 4.6.4). Default 2. */
  readonly voids?: number;
  /** Names of one MX or PTR answer that are looked up (RFC 7208 4.6.4). Default 10. */
  readonly names?: number;
  /** Milliseconds for all of it (RFC 7208 4.6.4). Default 20,000. */
  readonly totalMs?: number;
  /** Different questions, so that nobody makes an amplifier of us. Default 30. */
  readonly questions?: number;
  /** Octets of one record. Default 10,000. */
  readonly recordBytes?: number;
  /** Characters that macros may make of one term. Default 4,096. */
  readonly expandedCharacters?: number;
  /** Characters of the explanation. Default 250. */
  readonly explanationCharacters?: number;
}
