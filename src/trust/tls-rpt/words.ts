/** The vocabulary of TLS reports (RFC 8460 4.3): what may go wrong, and which policy applied. */

/** RFC 8460 4.3.2: what a session failed of. */
export const FAILURES = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const;

export type TlsFailureKind = (typeof FAILURES)[number];

/** The policy that a session was held against. */
export interface TlsReportPolicy {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found';
  /** The lines of an MTA-STS policy, the TLSA records; empty without a policy. */
  readonly text: readonly string[];
  readonly domain: string;
  /** MX patterns of an MTA-STS policy, the host of TLSA records. */
  readonly mx: readonly string[];
}

/** One session with a host, or one that could not be. */
export interface TlsSession {
  readonly policy: TlsReportPolicy;
  /** undefined: it was as it should be. */
  readonly failure: TlsFailure | undefined;
  readonly mx: string | undefined;
  /** The address of the MX. */
  readonly address: string | undefined;
}

export interface TlsFailure {
  readonly kind: TlsFailureKind;
  /** For people. */
  readonly why: string;
}
