/** The limits of one IMAP session: each with its unit and its default. */

export interface ImapOptions {
  /** Octets of a command without its literals. */
  readonly lineBytes: number;
  readonly lineBytesBeforeLogin: number;
  /** Octets of all literals of one command together, APPEND's message apart. */
  readonly literalBytes: number;
  readonly literalBytesBeforeLogin: number;
  /** Literals in one command. */
  readonly literals: number;
  /** The largest message that APPEND takes: announced as APPENDLIMIT (RFC 7889). */
  readonly messageBytes: number;
  /** Octets of one refused non-synchronising literal that are read and dropped; then close. */
  readonly swallowBytes: number;
  readonly swallowBytesBeforeLogin: number;
  /** Parentheses, NOT and OR inside each other. */
  readonly depth: number;
  /** Elements of a sequence set. */
  readonly setElements: number;
  /** Keys of a search, items of a FETCH, names, patterns and flags in a list. */
  readonly listItems: number;
  readonly mailboxNameBytes: number;
  readonly mailboxLevels: number;
  /** Commands answered BAD before the connection is closed. */
  readonly errors: number;
  /** Commands before a login succeeds. */
  readonly commandsBeforeLogin: number;
  /** Failed logins before the connection is closed. */
  readonly loginFailures: number;
  /** Not a round number: clients poll at 29 and 30 minutes, and must find the server there. */
  readonly idleMs: number;
  readonly loginMs: number;
  /** How long one slice of a literal, or the rest of a command, may take. */
  readonly literalMs: number;
  /** How long the client may take to read what it was sent. */
  readonly outputMs: number;
  /** Octets of output or of a message handled in one piece. */
  readonly sliceBytes: number;
  /** Rows of messages handled in one piece. */
  readonly batchRows: number;
  /** SASL mechanisms by name; undefined: all that the connection can carry. */
  readonly mechanisms: readonly string[] | undefined;
  /** Capabilities not to announce, for a client that stumbles over one. */
  readonly hiddenCapabilities: readonly string[];
  /** Whether STARTTLS can be offered: the listener has a certificate. */
  readonly startTls: boolean;
}

export const IMAP_DEFAULTS: ImapOptions = {
  lineBytes: 65_536,
  lineBytesBeforeLogin: 8_192,
  literalBytes: 1_048_576,
  literalBytesBeforeLogin: 8_192,
  literals: 1_000,
  messageBytes: 52_428_800,
  swallowBytes: 134_217_728,
  swallowBytesBeforeLogin: 65_536,
  depth: 50,
  setElements: 10_000,
  listItems: 1_000,
  mailboxNameBytes: 500,
  mailboxLevels: 20,
  errors: 20,
  commandsBeforeLogin: 60,
  loginFailures: 5,
  idleMs: 1_877_000,
  loginMs: 63_000,
  literalMs: 187_000,
  outputMs: 307_000,
  sliceBytes: 65_536,
  batchRows: 250,
  mechanisms: undefined,
  hiddenCapabilities: [],
  startTls: true,
};
