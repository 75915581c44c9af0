/** Names as questions: A-labels, and the names under which addresses are looked up backwards. */

import { parseDomain } from '#base/domain.ts';
import { parseIp, reversedIp } from '#base/ip.ts';

const NAME_OCTETS = 253;
const LABEL = /^[\x21-\x2d\x2f-\x7e]{1,63}$/;

/** A host's or mail domain's name as it is asked for, or undefined if no such name can exist. */
export function questionName(text: string): string | undefined {
  const domain = parseDomain(text);
  return domain === undefined || domain.length > NAME_OCTETS ? undefined : domain;
}

/**
 * Any name that the DNS can hold (RFC 2181 11), in lower case: SPF's macros put local parts into
 * labels (RFC 7208 7), and `exists:ann+lists._spf.example` is a name as good as any. Undefined:
 * empty or long labels, blanks, octets that do not print, and what looks like an address.
 */
export function anyName(text: string): string | undefined {
  const host = questionName(text);
  if (host !== undefined) return host;
  const bare = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  if (bare.length > NAME_OCTETS || bare.startsWith('[')) return undefined;
  const labels = bare.split('.');
  if (/^\d+$/.test(labels.at(-1) ?? '')) return undefined;
  return labels.every((label) => LABEL.test(label)) ? bare : undefined;
}

/** `192.0.2.1` to `1.2.0.192.in-addr.arpa`, IPv6 likewise (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string | undefined {
  const ip = parseIp(address);
  return ip && `${reversedIp(ip)}.${ip.family === 4 ? 'in-addr' : 'ip6'}.arpa`;
}
