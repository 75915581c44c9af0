/** Networks in Postfix' notation, as far as it takes to say whether they are too wide to trust. */

import { parseIp } from '#base/ip.ts';
import { isWithinOwnNetwork } from '../../safety/permit.ts';

/**
 * Whether a member of mynetworks takes in more than a site has: every address, a public IPv4
 * network of more than 256 addresses or a public IPv6 network shorter than /48. Exclusions (`!`),
 * tables and names are not judged.
 */
export function isWide(member: string): boolean {
  if (member.startsWith('!') || /^[a-z]+:\//i.test(member)) return false;
  if (member === 'static:all' || member === 'static:ALL') return true;
  const [, address = '', prefix] = /^\[?([^\]/]*)\]?(?:\/([0-9]{1,3}))?$/.exec(member) ?? [];
  const first = parseIp(address);
  if (first === undefined || prefix === undefined) return false;
  // An IPv4 network in the clothes of IPv6: [::ffff:10.0.0.0]/104 is 10.0.0.0/8.
  const bits = Number(prefix) - (first.family === 4 && address.includes(':') ? 96 : 0);
  return bits < (first.family === 4 ? 24 : 48) && !isWithinOwnNetwork(first, bits);
}
