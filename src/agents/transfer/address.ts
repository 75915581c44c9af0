/** Addresses that no mail for elsewhere goes to: this host, loopback, nowhere. */

import { isIpv4, normalIpv6 } from '#base/domain.ts';

/**
 * Whether an address is the machine itself under any name: 127/8, 0/8, `::1`, `::`, or one of
 * those inside IPv6 (`::ffff:127.0.0.1`, `::127.0.0.1`, `64:ff9b::127.0.0.1`). What is no
 * address at all counts too: nothing is to be connected to.
 */
export function isLoopback(address: string): boolean {
  if (isIpv4(address)) return address.startsWith('127.') || address.startsWith('0.');
  const normal = normalIpv6(address);
  if (normal === undefined || normal === '::' || normal === '::1') return true;
  const embedded = embeddedIpv4(normal);
  return embedded !== undefined && isLoopback(embedded);
}

/** The IPv4 address inside a mapped, compatible or NAT64 IPv6 address. */
function embeddedIpv4(normal: string): string | undefined {
  const tail = /^(?:::ffff:|::|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(normal);
  if (tail === null) return undefined;
  const [high, low] = [Number.parseInt(tail[1] ?? '', 16), Number.parseInt(tail[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
