/** IP addresses as octets, so that prefixes can be cut and compared. */

import { isIpv4, normalIpv6 } from '#base/domain.ts';

/**
 * Text to 4 or 16 octets, or undefined. A mapped address (`::ffff:192.0.2.1`) is the IPv4
 * address it stands for: a dual-stack socket must not slip past a rule about IPv4.
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (isIpv4(text)) return Uint8Array.from(text.split('.'), Number);
  const normal = normalIpv6(text);
  return normal === undefined ? undefined : unmapped(groupsToOctets(normal));
}

/** The first `bits` of an address, the others 0. */
export function cutTo(address: Uint8Array, bits: number): Uint8Array {
  return address.map((octet, index) => octet & maskOctet(bits, index));
}

/** Whether two addresses of one family share their first `bits`. */
export function sharePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index * 8 < bits; index += 1) {
    const difference = (a[index] ?? 0) ^ (b[index] ?? 0);
    if ((difference & maskOctet(bits, index)) !== 0) return false;
  }
  return true;
}

/** Octets as text; IPv6 in the form of RFC 5952. */
export function formatIp(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) {
    groups.push((((address[index] ?? 0) << 8) | (address[index + 1] ?? 0)).toString(16));
  }
  const text = groups.join(':');
  return normalIpv6(text) ?? text;
}

function maskOctet(bits: number, index: number): number {
  const kept = Math.min(8, Math.max(0, bits - index * 8));
  return (0xff << (8 - kept)) & 0xff;
}

/** `2001:db8::1`, already normal (hexadecimal groups, at most one `::`), to 16 octets. */
function groupsToOctets(normal: string): Uint8Array {
  const [before = '', after] = normal.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const octets = new Uint8Array(16);
  const put = (group: string, place: number): void => {
    const value = Number.parseInt(group, 16);
    octets[place * 2] = value >> 8;
    octets[place * 2 + 1] = value & 0xff;
  };
  for (const [index, group] of head.entries()) put(group, index);
  for (const [index, group] of tail.entries()) put(group, 8 - tail.length + index);
  return octets;
}

function unmapped(address: Uint8Array): Uint8Array {
  const mapped = address.subarray(0, 10).every((octet) => octet === 0);
  return mapped && address[10] === 0xff && address[11] === 0xff ? address.subarray(12) : address;
}

/** Whether a client's address never leaves this machine: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
