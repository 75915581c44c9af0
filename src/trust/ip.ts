/** IP addresses as octets: to compare networks, and to write them as SPF's macros want them. */

import { isIpv4, normalIpv6 } from '#base/domain.ts';

/** An address: 4 or 16 octets, and its usual text. IPv4-mapped IPv6 counts as IPv4. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly octets: Uint8Array;
  /** `192.0.2.1`, `2001:db8::1` (RFC 5952). */
  readonly text: string;
}

/** Text to an address, `::ffff:192.0.2.1` to IPv4 (RFC 7208 5); undefined if it is none. */
export function parseIp(text: string): IpAddress | undefined {
  if (isIpv4(text)) return ipv4(Uint8Array.from(text.split('.'), Number));
  const normal = normalIpv6(text);
  if (normal === undefined) return undefined;
  const octets = ipv6Octets(normal);
  const mapped = octets.subarray(0, 10).every((octet) => octet === 0);
  if (mapped && octets[10] === 0xff && octets[11] === 0xff) return ipv4(octets.subarray(12));
  return { family: 6, octets, text: normal };
}

/** Whether the first `bits` bits are the same; addresses of two families never match. */
export function inNetwork(ip: IpAddress, network: IpAddress, bits: number): boolean {
  if (ip.family !== network.family) return false;
  const whole = bits >> 3;
  for (let at = 0; at < whole; at++) if (ip.octets[at] !== network.octets[at]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const shift = 8 - rest;
  return (ip.octets[whole] ?? 0) >> shift === (network.octets[whole] ?? 0) >> shift;
}

/** `192.0.2.1`, and for IPv6 its 32 digits with dots between them (RFC 7208 7.3). */
export function dottedIp(ip: IpAddress): string {
  if (ip.family === 4) return ip.text;
  return Array.from(ip.octets, (octet) => {
    const digits = octet.toString(16).padStart(2, '0').toUpperCase();
    return `${digits[0] ?? ''}.${digits[1] ?? ''}`;
  }).join('.');
}

function ipv4(octets: Uint8Array): IpAddress {
  return { family: 4, octets, text: octets.join('.') };
}

/** From the normal form, in which hexadecimal groups are all there is. */
function ipv6Octets(normal: string): Uint8Array {
  const [head = '', tail] = normal.split('::');
  const before = groups(head);
  const after = groups(tail ?? '');
  const octets = new Uint8Array(16);
  for (const [at, group] of before.entries()) put(octets, at, group);
  for (const [at, group] of after.entries()) put(octets, 8 - after.length + at, group);
  return octets;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function put(octets: Uint8Array, at: number, group: number): void {
  octets[at * 2] = group >> 8;
  octets[at * 2 + 1] = group & 0xff;
}
