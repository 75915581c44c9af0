/** IP addresses of sockets in the one form that the rest of the program compares. */

import { isIP } from 'node:net';
import { parseIp } from '#base/ip.ts';
import type { Endpoint } from '#base/world.ts';

/**
 * What a socket says of one of its ends, as an Endpoint; undefined when the socket has lost it.
 * IPv4 inside IPv6 (`::ffff:192.0.2.1`) becomes IPv4: otherwise a rule for one form would miss
 * the other.
 */
export function endpointOf(
  address: string | undefined,
  port: number | undefined,
): Endpoint | undefined {
  if (address === undefined || port === undefined) return undefined;
  return { address: normalAddress(address), port };
}

/** An IP address in its usual form: no zone, not mapped, RFC 5952; other text as it is. */
export function normalAddress(address: string): string {
  const zone = address.indexOf('%');
  const bare = zone < 0 ? address : address.slice(0, zone);
  // Four numbers, as the system writes them, have one form.
  if (isIP(bare) === 4) return bare;
  return parseIp(bare)?.text ?? bare;
}

/** Whether text is an IP address: nothing else is ever handed to the system to look up. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}
