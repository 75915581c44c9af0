/** The network a client belongs to for counting: /24 of IPv4, /64 of IPv6. */

import { cutTo, formatIp, parseIp } from '../restrictions/ip.ts';

const V4_BITS = 24;
const V6_BITS = 64;

/** One subscriber has a whole /64, one owner often a /24: single addresses are free to change. */
export function clientPrefix(address: string): string {
  const octets = parseIp(address);
  if (octets === undefined) return address;
  const bits = octets.length === 4 ? V4_BITS : V6_BITS;
  return `${formatIp(cutTo(octets, bits))}/${bits}`;
}
