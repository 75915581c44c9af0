/** Names as questions: A-labels, and the names under which addresses are looked up backwards. */

import { isIpv4, normalIpv6, parseDomain } from '#base/domain.ts';

/** A name as it is asked for, or undefined if no such name can exist. */
export function questionName(text: string): string | undefined {
  const domain = parseDomain(text);
  return domain === undefined || domain.length > 253 ? undefined : domain;
}

/** `192.0.2.1` to `1.2.0.192.in-addr.arpa`, IPv6 likewise (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string | undefined {
  if (isIpv4(address)) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  const normal = normalIpv6(address);
  if (normal === undefined) return undefined;
  const [head = '', tail] = normal.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0'));
  return `${groups.join('').split('').toReversed().join('.')}.ip6.arpa`;
}
