/** Networks in Postfix' notation, as far as it takes to say whether they are too wide to trust. */

import { isIpv4, normalIpv6 } from '#base/domain.ts';

/**
 * Whether a member of mynetworks takes in more than a site has: every address, a public IPv4
 * network of more than 256 addresses or a public IPv6 network shorter than /48. Exclusions (`!`),
 * tables and names are not judged.
 */
export function isWide(member: string): boolean {
  if (member.startsWith('!') || /^[a-z]+:\//i.test(member)) return false;
  if (member === 'static:all' || member === 'static:ALL') return true;
  const slash = member.lastIndexOf('/');
  const address = (slash === -1 ? member : member.slice(0, slash)).replace(/^\[(.*)\]$/, '$1');
  const prefix = /^[0-9]{1,3}$/.exec(member.slice(slash + 1))?.[0];
  if (isIpv4(address)) return slash !== -1 && isWideIpv4(address, Number(prefix ?? 32));
  const normal = normalIpv6(address);
  if (normal === undefined || slash === -1) return false;
  const bits = Number(prefix ?? 128);
  const mapped = normal.startsWith('::ffff:') && bits >= 96;
  const local = /^(?:::1$|f[cd]|fe[89ab])/.test(normal) && bits >= 7;
  return !mapped && !local && bits < 48;
}

function isWideIpv4(address: string, bits: number): boolean {
  const [first = 0, second = 0] = address.split('.').map(Number);
  if (first === 127 || first === 10) return bits < 8;
  if (first === 192 && second === 168) return bits < 16;
  if (first === 172 && second >= 16 && second < 32) return bits < 12;
  return bits < 24;
}
