/** The networks a client belongs to for counting: /24 of IPv4; /64 and /48 of IPv6. */

import { type IpAddress, cutTo, parseIp } from '#base/ip.ts';

/** One subscriber has a whole /64, one owner often a /24: single addresses are free to change. */
export interface ClientNetwork {
  /** `192.0.2.0/24`, `2001:db8:1:2::/64`; text that is no address stands for itself. */
  readonly narrow: string;
  /** `2001:db8:1::/48`: what anybody gets for the asking has 65,536 times /64 in it. */
  readonly wide: string | undefined;
}

const V4_BITS = 24;
const V6_BITS = 64;
const V6_WIDE_BITS = 48;

/** The networks of an IP address. */
export function clientNetwork(address: string): ClientNetwork {
  const ip = parseIp(address);
  if (ip === undefined) return { narrow: address, wide: undefined };
  if (ip.family === 4) return { narrow: range(ip, V4_BITS), wide: undefined };
  return { narrow: range(ip, V6_BITS), wide: range(ip, V6_WIDE_BITS) };
}

function range(ip: IpAddress, bits: number): string {
  return `${cutTo(ip, bits).text}/${bits}`;
}
