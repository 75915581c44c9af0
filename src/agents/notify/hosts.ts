/** What a notice may say of other hosts: their public names, and nothing of the inside. */

import { isIpv4, normalIpv6 } from '#base/domain.ts';
import { scopeOf } from '#base/ip.ts';

const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?$/;
const INSIDE = /\.(?:local|localhost|localdomain|internal|intranet|lan|home|corp|private)$/i;
const IPV4 = /\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}/g;
const TEXT_CHARACTERS = 2_000;
const INNER = '(an internal host)';

/**
 * The host of an attempt (`mx.example [192.0.2.1]:25`, `[192.0.2.1]:25`) as the world may know
 * it: its name, or its address where it has none. Undefined for hosts of our own network: a
 * relay inside, an address that is routed nowhere.
 */
export function publicHost(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  const [word = ''] = host.trim().split(' ', 1);
  if (NAME.test(word)) return word.includes('.') && !INSIDE.test(word) ? word : undefined;
  const literal = /^\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]/i.exec(word)?.[1];
  if (literal === undefined) return undefined;
  if (isIpv4(literal)) return isPrivate(literal) ? undefined : `[${literal}]`;
  const v6 = normalIpv6(literal);
  return v6 === undefined || isPrivate(v6) ? undefined : `[IPv6:${v6}]`;
}

/** A sentence of ours, cut to a sane length, without the addresses of our own network. */
export function publicText(text: string): string {
  const short = text.slice(0, TEXT_CHARACTERS);
  const shown = short.replace(IPV4, (address) => (isPrivate(address) ? INNER : address));
  return shown.replace(/[0-9A-Fa-f:]{3,45}/g, (word) => {
    const v6 = word.includes('::') || word.split(':').length === 8 ? normalIpv6(word) : undefined;
    return v6 !== undefined && isPrivate(v6) ? INNER : word;
  });
}

function isPrivate(address: string): boolean {
  const scope = scopeOf(address);
  return scope === 'machine' || scope === 'site';
}
