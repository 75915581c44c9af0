/** Test messages: small, saying what they are, and refused by every server that counts hops. */

export interface LetterOptions {
  readonly token: string;
  /** Received fields at the top. Default 0. */
  readonly hops?: number;
  /** More header fields, each with its CRLF. */
  readonly fields?: string;
  readonly to?: string;
}

/**
 * Hops beyond which a message goes in circles: RFC 5321 6.3 wants at least 100, and who refuses
 * because of them delivers nothing, to nobody, however a test ends.
 */
export const LOOP_HOPS = 120;

/** An address without a domain is a fault of form (RFC 5322 3.4.1), and refused as such. */
const NOBODY = 'postmaster@audit.invalid';

/** The header with its empty line and a first line of text, CRLF at the end. */
export function letter({ token, hops = 0, fields = '', to = NOBODY }: LetterOptions): string {
  const hop = 'Received: from a.invalid by b.invalid; Thu, 01 Jan 2026 00:00:00 +0000\r\n';
  return (
    `${hop.repeat(hops)}${fields}From: <audit@${token}.invalid>\r\nTo: <${to}>\r\n` +
    `Subject: mail server test\r\nMessage-ID: <${token}@audit.invalid>\r\n` +
    `Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nAudit-Id: ${token}\r\n\r\n` +
    'A test of this mail server. It can be deleted.\r\n'
  );
}
