/** IP addresses of sockets in the one form that the rest of the program compares. */

import { isIP } from 'node:net';
import { isIpv4, normalIpv6 } from '#base/domain.ts';
import type { Endpoint } from '#base/world.ts';

const MAPPED = '::ffff:';

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
  if (!bare.includes(':')) return bare;
  const tail = bare.slice(MAPPED.length);
  if (bare.toLowerCase().startsWith(MAPPED) && isIpv4(tail)) return tail;
  const normal = normalIpv6(bare) ?? bare;
  return normal.startsWith(MAPPED) ? unmapped(normal) : normal;
}

/** Whether text is an IP address: nothing else is ever handed to the system to look up. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** `::ffff:c000:201`, as RFC 5952 form writes it, to `192.0.2.1`. */
function unmapped(normal: string): string {
  const [high, low, ...more] = normal.slice(MAPPED.length).split(':');
  if (high === undefined || low === undefined || more.length > 0) return normal;
  const number = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
