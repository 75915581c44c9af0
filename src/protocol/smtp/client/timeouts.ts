/** How long a client waits for what: the least that RFC 5321 4.5.3.2 asks for. */

export interface SmtpTimeouts {
  /** RFC 5321 4.5.3.2.1. */
  readonly greetingMs: number;
  /** EHLO, STARTTLS, AUTH, RSET. */
  readonly commandMs: number;
  readonly handshakeMs: number;
  /** RFC 5321 4.5.3.2.2. */
  readonly mailMs: number;
  /** RFC 5321 4.5.3.2.3. */
  readonly rcptMs: number;
  /** RFC 5321 4.5.3.2.4. */
  readonly dataMs: number;
  /** RFC 5321 4.5.3.2.5: until the server takes the next piece. */
  readonly blockMs: number;
  /** All pieces together: a sink of 1 KB/s must not hold a connection for days. */
  readonly contentMs: number;
  /** RFC 5321 4.5.3.2.6: too short a wait here delivers messages twice (RFC 1047). */
  readonly finalMs: number;
  readonly quitMs: number;
}

const MINUTE = 60_000;

export const SMTP_TIMEOUTS: SmtpTimeouts = {
  greetingMs: 5 * MINUTE,
  commandMs: 5 * MINUTE,
  handshakeMs: MINUTE,
  mailMs: 5 * MINUTE,
  rcptMs: 5 * MINUTE,
  dataMs: 2 * MINUTE,
  blockMs: 3 * MINUTE,
  contentMs: 120 * MINUTE,
  finalMs: 10 * MINUTE,
  quitMs: 5_000,
};
