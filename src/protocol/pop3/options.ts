/** The limits and names of one POP3 session: each with its unit and its default. */

export interface Pop3Options {
  /** This host's name, for the greeting. */
  readonly hostname: string;
  /** Whether STLS can be offered: the listener has a certificate. */
  readonly startTls: boolean;
  /** SASL mechanisms by name; undefined: all that the connection can carry. */
  readonly mechanisms: readonly string[] | undefined;
  /** Octets of a command with CRLF; RFC 2449 4 asks for 255, a long password needs more. */
  readonly lineBytes: number;
  /** Octets of a SASL response with CRLF (RFC 5034 4). */
  readonly saslLineBytes: number;
  /** Octets of a message or a listing that are handled in one piece. */
  readonly sliceBytes: number;
  /** Commands before a login succeeds. */
  readonly commandsBeforeLogin: number;
  /** Failed logins before the connection is closed. */
  readonly loginFailures: number;
  /** Commands answered -ERR before the connection is closed. */
  readonly errors: number;
  /** Silence before a login. */
  readonly loginMs: number;
  /** Silence after it: RFC 1939 3 asks for ten minutes; clients poll at round numbers. */
  readonly idleMs: number;
}

export const POP3_DEFAULTS: Pop3Options = {
  hostname: 'localhost',
  startTls: false,
  mechanisms: undefined,
  lineBytes: 2_048,
  saslLineBytes: 12_290,
  sliceBytes: 65_536,
  commandsBeforeLogin: 100,
  loginFailures: 5,
  errors: 100,
  loginMs: 180_000,
  idleMs: 660_000,
};
