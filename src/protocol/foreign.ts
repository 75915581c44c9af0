/** The first words of other protocols on a mail port: no mail client says them, a browser may be made to. */

const METHODS = '(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI)';
const REQUEST = new RegExp(`^${METHODS} [^ ]{1,2000} HTTP/`);
/** A TLS record of a handshake (RFC 8446 5.1). */
const TLS_HANDSHAKE = '\x16\x03';

/**
 * Whether a line (one octet a character) begins an HTTP request or a TLS handshake. Whoever sends
 * that is no client of ours, and what follows it must never be taken for commands.
 */
export function isForeign(line: string): boolean {
  return line.startsWith(TLS_HANDSHAKE) || REQUEST.test(line);
}
