/** IP addresses as octets: to compare networks, to cut them, and to know what never leaves a site. */

import { isIpv4, normalIpv6 } from './domain.ts';

/** An address: 4 or 16 octets, and its usual text. IPv4-mapped IPv6 counts as IPv4. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly octets: Uint8Array;
  /** `192.0.2.1`, `2001:db8::1` (RFC 5952). */
  readonly text: string;
}

/**
 * Text to an address, `::ffff:192.0.2.1` to IPv4 (RFC 7208 5): a dual-stack socket must not slip
 * past a rule about IPv4. Undefined if it is none.
 */
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

/** The first `bits` of an address, the others 0: its network. */
export function cutTo({ family, octets }: IpAddress, bits: number): IpAddress {
  const kept = octets.map((octet, at) => {
    const own = Math.min(8, Math.max(0, bits - at * 8));
    return octet & (0xff << (8 - own));
  });
  return family === 4 ? ipv4(kept) : { family, octets: kept, text: ipv6Text(kept) };
}

/** `192.0.2.1`, and for IPv6 its 32 digits with dots between them (RFC 7208 7.3). */
export function dottedIp(ip: IpAddress): string {
  if (ip.family === 4) return ip.text;
  return Array.from(ip.octets, (octet) => {
    const digits = octet.toString(16).padStart(2, '0').toUpperCase();
    return `${digits[0] ?? ''}.${digits[1] ?? ''}`;
  }).join('.');
}

/** The same backwards, as names of the DNS have it: `1.2.0.192` (RFC 1035 3.5, RFC 3596 2.5). */
export function reversedIp(ip: IpAddress): string {
  return dottedIp(ip).toLowerCase().split('.').toReversed().join('.');
}

/**
 * How far an address, in any of its texts, means the same: on this machine (127/8, 0/8, `::1`,
 * `::`), within a site (private use, shared, link-local), or everywhere; undefined: it is none.
 * An IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4) counts for itself.
 */
export function scopeOf(address: string): 'machine' | 'site' | 'world' | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const inner = embeddedIpv4(ip) ?? ip;
  if (MACHINE.some((network) => isIn(inner, network))) return 'machine';
  return SITE.some((network) => isIn(inner, network)) ? 'site' : 'world';
}

/** Whether an address, in its usual text, never leaves this machine: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

type Network = readonly [first: IpAddress, bits: number];

const MACHINE = networks('127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128');
/** RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291 2.5.6 and the site-local ones of old. */
const SITE = networks(
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
);
/** RFC 4291 2.5.5.1, RFC 6052 2.1, RFC 3056 2, and where the IPv4 address begins in them. */
const AROUND_IPV4 = [
  { network: networks('::/96'), at: 12 },
  { network: networks('64:ff9b::/96'), at: 12 },
  { network: networks('2002::/16'), at: 2 },
];

function embeddedIpv4(ip: IpAddress): IpAddress | undefined {
  if (ip.family === 4 || MACHINE.some((network) => isIn(ip, network))) return undefined;
  const around = AROUND_IPV4.find(({ network }) => network.some((one) => isIn(ip, one)));
  return around && ipv4(ip.octets.slice(around.at, around.at + 4));
}

function isIn(ip: IpAddress, [first, bits]: Network): boolean {
  return inNetwork(ip, first, bits);
}

function networks(...texts: readonly string[]): readonly Network[] {
  return texts.flatMap((text): Network[] => {
    const [address = '', bits] = text.split('/');
    const first = parseIp(address);
    return first === undefined ? [] : [[first, Number(bits)]];
  });
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

function ipv6Text(octets: Uint8Array): string {
  const pairs = Array.from({ length: 8 }, (_, at) => {
    return (((octets[at * 2] ?? 0) << 8) | (octets[at * 2 + 1] ?? 0)).toString(16);
  });
  const text = pairs.join(':');
  return normalIpv6(text) ?? text;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function put(octets: Uint8Array, at: number, group: number): void {
  octets[at * 2] = group >> 8;
  octets[at * 2 + 1] = group & 0xff;
}
