/** Domains for comparing: of addresses and hosts, who is probably one organisation, what is private. */

import { displayDomain, parseDomain } from '#base/domain.ts';
import type { IpAddress } from '#base/ip.ts';
import { inNetwork, parseIp } from '#base/ip.ts';

/** A network: `192.0.2.0/24`, or one address. */
export interface Network {
  readonly text: string;
  readonly address: IpAddress;
  readonly bits: number;
}

/** Text to a network, or undefined. */
export function parseNetwork(text: string): Network | undefined {
  const [host = '', length, ...more] = text.split('/');
  const address = parseIp(host.replace(/^\[|\]$/g, ''));
  if (address === undefined || more.length > 0) return undefined;
  const most = address.family === 4 ? 32 : 128;
  const bits = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  return bits < 0 || bits > most ? undefined : { text, address, bits };
}

/** The first of the networks that holds an address. */
export function networkOf(ip: string, networks: readonly Network[]): Network | undefined {
  const address = networks.length === 0 ? undefined : parseIp(ip);
  if (address === undefined) return undefined;
  return networks.find((network) => inNetwork(address, network.address, network.bits));
}

/** RFC 1918, 6598, 3927, 4193 and link-local, of addresses in their usual form. */
const PRIVATE =
  /^(?:10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/;

/** Addresses that never leave their machine; `ip` in its usual form. */
export function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}

/** Addresses that mean something inside one network only; `ip` in its usual form. */
export function isPrivate(ip: string): boolean {
  return PRIVATE.test(ip);
}

/** The domain of an address as we compare it, or undefined. */
export function domainOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const at = address.lastIndexOf('@');
  return at === -1 ? undefined : parseDomain(address.slice(at + 1).replace(/[>\s]+$/, ''));
}

/**
 * What is probably the registered domain: the last two labels, or three where the second is short
 * and the first a country's (`example.co.uk`). A guess for pointing at things: no verdict rests
 * on it.
 */
export function likelyOrganization(domain: string): string {
  const labels = domain.toLowerCase().replace(/\.$/, '').split('.');
  const [second = '', top = ''] = labels.slice(-2);
  const count = labels.length > 2 && top.length === 2 && second.length <= 3 ? 3 : 2;
  return labels.slice(-count).join('.');
}

export function sameOrganization(a: string, b: string): boolean {
  return likelyOrganization(a) === likelyOrganization(b);
}

/** Whether a host is the one that a pattern means: itself, or below `.example.org`. */
export function matchesHost(host: string, pattern: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const wanted = pattern.toLowerCase().replace(/\.$/, '').replace(/^\*\./, '.');
  return wanted.startsWith('.') ? name.endsWith(wanted) : name === wanted;
}

/** Names that mean something inside one network only. */
export function isInternalName(host: string): boolean {
  return /(?:^[^.]+$|\.(?:local|localdomain|lan|internal|intranet|corp|home|private|localhost|home\.arpa))$/i.test(
    host,
  );
}

/** A domain as people read it. */
export function readableDomain(domain: string): string {
  const parsed = parseDomain(domain);
  return parsed === undefined ? domain : displayDomain(parsed);
}
