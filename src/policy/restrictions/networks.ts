/** mynetworks: address ranges whose clients are trusted, read so that nothing wide slips in. */

import { type IpAddress, cutTo, inNetwork, parseIp } from '#base/ip.ts';

export interface NetworksOptions {
  /** This host's own gateways: translated connections (NAT, containers) seem to come from them. */
  readonly gateways?: readonly string[];
}

export type ParsedNetworks =
  | { readonly kind: 'networks'; readonly networks: Networks }
  | { readonly kind: 'errors'; readonly errors: readonly NetworkError[] };

export interface NetworkError {
  /** The entry as it was written. */
  readonly text: string;
  readonly why: string;
}

export const LOOPBACK_NETWORKS: readonly string[] = ['127.0.0.0/8', '::1/128'];

interface Range {
  readonly first: IpAddress;
  readonly bits: number;
  /** Written with `!`: not trusted, whatever comes later in the list. */
  readonly excluded: boolean;
}

/** Shorter prefixes than this are whole parts of the world. */
const WORLD_BITS = 7;
/** Ranges in which all of IPv4 appears again: NAT64 (RFC 6052), 6to4 (RFC 3056). */
const V4_INSIDE_V6 = [
  { first: '64:ff9b::', bits: 96 },
  { first: '2002::', bits: 16 },
] as const;

/** Ranges in the order they were written; the first one that holds an address decides. */
export class Networks {
  readonly #ranges: readonly Range[];
  /** The last answer: a client is asked about at each of its commands. */
  #last: { readonly address: string; readonly isTrusted: boolean } | undefined;

  constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
  }

  /** Whether a client's address is trusted; text that is no address is not. */
  includes(address: string): boolean {
    if (this.#last?.address === address) return this.#last.isTrusted;
    const ip = parseIp(address);
    const isTrusted = ip !== undefined && trusts(this.#ranges, ip);
    this.#last = { address, isTrusted };
    return isTrusted;
  }
}

/**
 * `192.0.2.0/24`, `[2001:db8::]/32`, `2001:db8::/32`, a single address, each with `!` before it
 * to take it out. Refused, with the reason: what is no range, host bits that are set, /0 to /7,
 * IPv4 as a whole inside IPv6, and a range that holds one of the gateways.
 */
export function parseNetworks(
  texts: readonly string[] = LOOPBACK_NETWORKS,
  options: NetworksOptions = {},
): ParsedNetworks {
  const ranges: Range[] = [];
  const errors: NetworkError[] = [];
  for (const text of texts) {
    const range = parseRange(text);
    if (typeof range === 'string') errors.push({ text, why: range });
    else {
      const why = range.excluded ? undefined : tooWide(range, ranges, options.gateways ?? []);
      if (why !== undefined) errors.push({ text, why });
      ranges.push(range);
    }
  }
  if (errors.length > 0) return { kind: 'errors', errors };
  return { kind: 'networks', networks: new Networks(ranges) };
}

/** A range, or what is wrong with the text. */
function parseRange(text: string): Range | string {
  const match = /^(!?)(?:\[([0-9a-f:.]{2,45})\]|([0-9a-f:.]{2,45}))(?:\/(\d{1,3}))?$/i.exec(text);
  const written = match?.[2] ?? match?.[3] ?? '';
  const first = parseIp(written);
  if (match === null || first === undefined) {
    return 'is no network; write it as "192.0.2.0/24" or "[2001:db8::]/32"';
  }
  const mapped = first.family === 4 && written.includes(':');
  const width = mapped ? 128 : first.octets.length * 8;
  const given = match[4] === undefined ? width : Number(match[4]);
  if (given > width) return `has a prefix longer than ${width}`;
  const bits = mapped ? Math.max(0, given - 96) : given;
  const start = cutTo(first, bits);
  if (start.text !== first.text) {
    return `has host bits set; the network is ${start.text}/${given}`;
  }
  return { first, bits, excluded: match[1] === '!' };
}

function tooWide(
  range: Range,
  earlier: readonly Range[],
  gateways: readonly string[],
): string | undefined {
  if (range.bits <= WORLD_BITS) {
    return `covers a large part of the world: /${range.bits} would let strangers relay`;
  }
  for (const { first, bits } of V4_INSIDE_V6) {
    const prefix = parseIp(first);
    if (prefix === undefined || range.bits > bits + WORLD_BITS) continue;
    if (inNetwork(range.first, prefix, Math.min(range.bits, bits))) {
      return `holds all IPv4 addresses again (${first}/${bits}): strangers could relay`;
    }
  }
  for (const gateway of gateways) {
    const ip = parseIp(gateway);
    if (ip === undefined || !inNetwork(ip, range.first, range.bits)) continue;
    // Taken out by an earlier `!`, the gateway is no danger any more.
    if (isExcluded(earlier, ip)) continue;
    return (
      `holds ${gateway}, this host's own gateway: connections that are translated there ` +
      `(NAT, containers) would all be trusted; put "!${gateway}" before it`
    );
  }
  return undefined;
}

function trusts(ranges: readonly Range[], address: IpAddress): boolean {
  const range = firstWith(ranges, address);
  return range !== undefined && !range.excluded;
}

function isExcluded(ranges: readonly Range[], address: IpAddress): boolean {
  return firstWith(ranges, address)?.excluded ?? false;
}

function firstWith(ranges: readonly Range[], address: IpAddress): Range | undefined {
  return ranges.find(({ first, bits }) => inNetwork(address, first, bits));
}
