/** What can be set on the SMTP server machine: each option with its unit and default. */

import type { Domain } from '#base/brand.ts';

export type SmtpMode = 'smtp' | 'submission' | 'lmtp';

export interface SmtpServerOptions {
  /** What greeting and HELO say. */
  readonly hostname: Domain;
  /** Whose postmaster the bare `<postmaster>` is (RFC 5321 4.5.1). Default: the host's. */
  readonly postmasterDomain?: () => Domain;
  /** Completes an address without a domain, on submission alone (RFC 6409 4.2). Default: none. */
  readonly origin?: Domain | undefined;
  /** Fresh octets for a SASL nonce, 18 or more: from the world's randomness. */
  readonly nonce: () => Uint8Array;
  /** `smtp`: port 25; `submission`: 587, 465 (RFC 6409); `lmtp`: RFC 2033. Default `smtp`. */
  readonly mode?: SmtpMode;
  /** Whether STARTTLS can be offered: the driver has a certificate. Default false. */
  readonly startTls?: boolean;
  /** Nothing but EHLO, STARTTLS, NOOP, QUIT before TLS (RFC 3207 4). Default: submission only. */
  readonly requireTls?: boolean;
  /** Whether AUTH is offered; under TLS alone, whatever else is set. Default: submission only. */
  readonly auth?: boolean;
  /** No MAIL before AUTH (RFC 6409 4.3). Default: submission only. */
  readonly requireAuth?: boolean;
  /** Names of SASL mechanisms to offer. Default: all. */
  readonly mechanisms?: readonly string[];
  /** Keywords that EHLO must not announce: with their parameters they are gone. Default: none. */
  readonly withheld?: readonly string[];
  readonly limits?: Partial<SmtpLimits>;
}

export interface SmtpLimits {
  /** Octets of a command line with its CRLF (RFC 5321 4.5.3.1.4: 512, plus extensions). */
  readonly lineBytes: number;
  /** Octets of an AUTH line or response (RFC 4954 4: 12288). */
  readonly authLineBytes: number;
  /** Octets of an over-long line that are thrown away before the session ends. */
  readonly skippedBytes: number;
  /** Octets of a message; 0: no limit. Announced as SIZE (RFC 1870). */
  readonly messageBytes: number;
  /** Octets thrown away after a message was refused, so that its end is found; then close. */
  readonly excessBytes: number;
  /** Octets of one line of content without CRLF; RFC 5321 4.5.3.1.6 asks for 998. */
  readonly contentLineBytes: number;
  /** Recipients of a message (RFC 5321 4.5.3.1.8: at least 100), then 452 4.5.3. */
  readonly recipients: number;
  /** Transactions in a session, announced as MAILMAX (RFC 9422 4.1); 0: no limit. */
  readonly transactions: number;
  /** Commands in a row without a message accepted, then 421. */
  readonly commands: number;
  /** Mistakes of the client: syntax, sequence, unknown commands; then 421. */
  readonly errors: number;
  /** Unknown commands among them, then 421. */
  readonly unknownCommands: number;
  /** Failed logins, then 421. */
  readonly failedLogins: number;
  /** Milliseconds for the next command (RFC 5321 4.5.3.2.7: five minutes). */
  readonly idleMs: number;
  /** Milliseconds for the next `dataProgressBytes` octets of content. */
  readonly dataIdleMs: number;
  /** Fewer octets than this in `dataIdleMs` are no progress: one octet a second is not. */
  readonly dataProgressBytes: number;
  /** Milliseconds to wait after something that the client may take for the end of its data. */
  readonly doubtfulEndMs: number;
  /**
   * Milliseconds that a session may last. A machine has no clock: the DRIVER enforces this one
   * and calls `stop` (service/drive.ts `sessionMs`).
   */
  readonly sessionMs: number;
}

export const SMTP_LIMITS: SmtpLimits = {
  lineBytes: 2_048,
  authLineBytes: 12_288,
  skippedBytes: 2_097_152,
  messageBytes: 52_428_800,
  excessBytes: 33_554_432,
  contentLineBytes: 1_048_576,
  recipients: 1_000,
  transactions: 0,
  commands: 5_000,
  errors: 20,
  unknownCommands: 10,
  failedLogins: 3,
  idleMs: 305_000,
  dataIdleMs: 185_000,
  dataProgressBytes: 1_024,
  doubtfulEndMs: 10_000,
  sessionMs: 7_200_000,
};

export type SmtpSettings = Required<Omit<SmtpServerOptions, 'limits' | 'mechanisms' | 'origin'>> & {
  readonly origin: Domain | undefined;
  readonly mechanisms: readonly string[] | undefined;
  readonly limits: SmtpLimits;
};

/** Options with their defaults filled in. */
export function smtpSettings(options: SmtpServerOptions): SmtpSettings {
  const mode = options.mode ?? 'smtp';
  const submission = mode === 'submission';
  return {
    hostname: options.hostname,
    postmasterDomain: options.postmasterDomain ?? (() => options.hostname),
    origin: submission ? options.origin : undefined,
    nonce: options.nonce,
    mode,
    startTls: options.startTls ?? false,
    requireTls: options.requireTls ?? submission,
    auth: options.auth ?? submission,
    requireAuth: options.requireAuth ?? submission,
    mechanisms: options.mechanisms,
    withheld: options.withheld ?? [],
    limits: { ...SMTP_LIMITS, ...options.limits },
  };
}
