/** What a DMARC aggregate report says (RFC 9990, RFC 7489 7.2): rows of a day's mail with a domain. */

export interface AggregateReport {
  readonly organization: string;
  readonly email: string;
  readonly contact: string | undefined;
  readonly id: string;
  /** Unix seconds, UTC. */
  readonly begin: number;
  readonly end: number;
  /** What its writer says went wrong with it. */
  readonly errors: readonly string[];
  readonly policy: PublishedPolicy;
  readonly rows: readonly AggregateRow[];
}

/** The record that was applied, word by word; absent tags are undefined. */
export interface PublishedPolicy {
  readonly domain: string;
  readonly p: string;
  readonly sp: string | undefined;
  readonly np: string | undefined;
  readonly adkim: string | undefined;
  readonly aspf: string | undefined;
  readonly fo: string | undefined;
  /** RFC 7489 alone. */
  readonly pct: string | undefined;
  /** RFC 9990 alone: `y` or `n`. */
  readonly testing: string | undefined;
  /** RFC 9990 alone: `treewalk` or `psl`. */
  readonly discovery: string | undefined;
}

/** Messages from one address that ended in the same way. */
export interface AggregateRow {
  readonly sourceAddress: string;
  readonly count: number;
  /** What was done: `none`, `pass` (RFC 9990), `quarantine`, `reject`. */
  readonly disposition: string;
  /** Whether an aligned identifier passed: `pass` or `fail`. */
  readonly dkim: string;
  readonly spf: string;
  /** Why something else was done than the policy asks for. */
  readonly reasons: readonly OverrideReason[];
  readonly headerFrom: string;
  /** Empty for `<>`; undefined: the report does not say. */
  readonly envelopeFrom: string | undefined;
  readonly envelopeTo: string | undefined;
  readonly signatures: readonly SignatureResult[];
  readonly senders: readonly SenderResult[];
}

export interface OverrideReason {
  readonly type: string;
  readonly comment: string | undefined;
}

/** One DKIM signature. */
export interface SignatureResult {
  readonly domain: string;
  readonly selector: string | undefined;
  readonly result: string;
}

/** SPF. */
export interface SenderResult {
  readonly domain: string;
  readonly scope: string | undefined;
  readonly result: string;
}
