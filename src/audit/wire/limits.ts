/** How much of a server's talk is taken in: a hostile one cannot fill memory or last for ever. */

export interface WireLimits {
  /** Octets of one line with its end; RFC 5321 4.5.3.1.5 says 512, real servers say more. */
  readonly lineBytes: number;
  /** Lines of one reply, listing or set of untagged answers. */
  readonly replyLines: number;
  /** Octets of one reply, literals included. */
  readonly replyBytes: number;
  /** Octets that may wait unread; then the server is read from no more. */
  readonly unreadBytes: number;
  /** Octets in all from one connection; then it is cut: a flood. */
  readonly totalBytes: number;
  /** Octets of the exchange kept as evidence. */
  readonly recordBytes: number;
  /** Octets kept of one side's turn. */
  readonly turnBytes: number;
  /** Turns kept: the first few, and the last. */
  readonly turns: number;
}

export const WIRE_LIMITS: WireLimits = {
  lineBytes: 8_192,
  replyLines: 200,
  replyBytes: 131_072,
  unreadBytes: 262_144,
  totalBytes: 16_777_216,
  recordBytes: 131_072,
  turnBytes: 8_192,
  turns: 400,
};

/** Servers delay the greeting on purpose (Postfix' postscreen: 6 s) to catch early talkers. */
export const GREETING_MS = 7_000;
