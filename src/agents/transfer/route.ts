/** Where mail for a domain goes: MX records to addresses in the order to try (RFC 5321 5.1). */

import type { Domain } from '#base/brand.ts';
import { isIpv4, literalAddress, normalIpv6 } from '#base/domain.ts';
import { scopeOf } from '#base/ip.ts';
import type { Lookup, Random, Resolver } from '#base/world.ts';
import { type Reach, isReachable } from './reach.ts';
import type { Record } from './record.ts';
import type { Smarthost } from './relayhost.ts';

/** One address of one host. */
export interface Target {
  /** The MX name, or the address itself. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** What DNSSEC vouches for; undefined: the address was not looked up by MX. */
  readonly dnssec?: {
    /** That this host is the right one for the domain. */
    readonly mx: boolean;
    /** That these are its addresses. */
    readonly addresses: boolean;
    /** What the host's name is an alias of. */
    readonly canonical: string | undefined;
  };
}

export type Routing =
  | { readonly kind: 'targets'; readonly targets: readonly Target[] }
  | { readonly kind: 'failed' | 'deferred'; readonly status: string; readonly reason: string };

export interface RouteOptions extends Reach {
  readonly resolver: Resolver;
  readonly random: Random;
  /** Our name: an MX that bears it is us. */
  readonly hostname: string;
  readonly ownAddresses: readonly string[];
  readonly port: number;
  /** In this order. */
  readonly families: readonly ('ipv4' | 'ipv6')[];
  readonly maxHosts: number;
  readonly maxAddresses: number;
}

interface Exchange {
  readonly preference: number;
  readonly exchange: string;
}

interface Resolved extends Exchange {
  readonly addresses: readonly string[];
  /** DNSSEC vouches for all of them. */
  readonly authentic?: boolean;
  readonly canonical?: string | undefined;
  /** One of its lookups got no answer. */
  readonly failed: string | undefined;
  readonly ours: boolean;
}

/** The way to a domain, by its MX records. */
export async function routeByMx(
  domain: Domain,
  options: RouteOptions,
  record: Record,
): Promise<Routing> {
  const literal = literalAddress(domain);
  if (literal !== undefined) {
    const host = { preference: 0, exchange: literal };
    return chosen([resolvedAddress(host, literal, options)], options, domain);
  }
  const lookup = await options.resolver.mx(domain);
  record.lookup(`MX ${domain}`, readable(lookup));
  if (lookup.kind === 'failed') return noAnswer(domain, lookup.reason);
  if (lookup.kind === 'none' && lookup.why === 'nxdomain') {
    return failed('5.1.2', `the domain ${domain} does not exist`);
  }
  const exchanges = lookup.kind === 'found' ? lookup.records : [];
  if (exchanges.length > 0 && exchanges.every(({ exchange }) => isRoot(exchange))) {
    // RFC 7505: the domain says so itself, at the first try and for good.
    return failed('5.1.10', `the domain ${domain} takes no mail (null MX)`);
  }
  // RFC 5321 5.1: without MX records the domain itself is the host.
  const hosts = exchanges.length > 0 ? exchanges : [{ preference: 0, exchange: domain }];
  const resolved = await resolveAll(hosts, options, record);
  return chosen(resolved, options, domain, lookup.authentic);
}

/** The way to a smarthost; its faults are our configuration's, so nothing fails for good. */
export async function routeBySmarthost(
  smarthost: Smarthost,
  options: RouteOptions,
  record: Record,
): Promise<Routing> {
  const { host, port } = smarthost;
  // Whoever writes it down may relay to a filter on this very machine.
  const at = { ...options, port, permitLoopback: true, hostname: '' };
  const address = isIpv4(host) ? host : normalIpv6(host);
  if (address !== undefined) {
    return { kind: 'targets', targets: [{ host, address, port }] };
  }
  const routing = smarthost.mx
    ? await routeByMx(host as Domain, at, record)
    : chosen(await resolveAll([{ preference: 0, exchange: host }], at, record), at, host);
  if (routing.kind !== 'failed') return routing;
  return { kind: 'deferred', status: '4.4.4', reason: `the relay host: ${routing.reason}` };
}

/** Those before us, with their addresses in order; or why there is no way. */
function chosen(
  hosts: readonly Resolved[],
  options: RouteOptions,
  domain: string,
  mx?: boolean,
): Routing {
  // RFC 5321 5.1: what is as far from the goal as we are would only send it back.
  const own = Math.min(...hosts.filter(({ ours }) => ours).map(({ preference }) => preference));
  const nearer = hosts.filter(({ preference, ours }) => !ours && preference < own);
  const targets: Target[] = [];
  const seen = new Set<string>();
  for (const { exchange, addresses, authentic = false, canonical } of nearer) {
    const dnssec = mx === undefined ? {} : { dnssec: { mx, addresses: authentic, canonical } };
    for (const address of addresses) {
      if (!isReachable(address, options) || seen.has(address)) continue;
      if (targets.length >= options.maxAddresses) continue;
      seen.add(address);
      targets.push({ host: exchange, address, port: options.port, ...dnssec });
    }
  }
  if (targets.length > 0) return { kind: 'targets', targets };
  const unknown = hosts.find(({ failed }) => failed !== undefined)?.failed;
  if (unknown !== undefined) return noAnswer(domain, unknown);
  if (hosts.some(({ ours }) => ours)) {
    return failed('5.4.6', `mail for ${domain} would come back to this server`);
  }
  const scopes = new Set(hosts.flatMap(({ addresses }) => addresses.map(scopeOf)));
  if (scopes.has('site')) {
    return failed('5.4.4', `the mail servers of ${domain} have only addresses of private networks`);
  }
  if (scopes.size > 0) {
    return failed('5.4.6', `the mail servers of ${domain} have only loopback addresses`);
  }
  return failed('5.4.4', `no mail server of ${domain} has an address`);
}

/** By preference, at random among equals (RFC 5321 5.1), each name once, so many at most. */
async function resolveAll(
  exchanges: readonly Exchange[],
  options: RouteOptions,
  record: Record,
): Promise<Resolved[]> {
  const mixed = shuffled(exchanges, options.random).toSorted((a, b) => a.preference - b.preference);
  const names = new Set<string>();
  const hosts = mixed.filter(({ exchange }) => {
    const fresh = !isRoot(exchange) && !names.has(exchange);
    names.add(exchange);
    return fresh;
  });
  const few = hosts.slice(0, options.maxHosts);
  return Promise.all(few.map((host) => resolve(host, options, record)));
}

async function resolve(host: Exchange, options: RouteOptions, record: Record): Promise<Resolved> {
  const { resolver, random } = options;
  const name = host.exchange;
  if (name === options.hostname) return { ...host, addresses: [], failed: undefined, ours: true };
  const lookups = await Promise.all(
    options.families.map(async (family) => {
      const lookup = await (family === 'ipv4' ? resolver.a(name) : resolver.aaaa(name));
      record.lookup(`${family === 'ipv4' ? 'A' : 'AAAA'} ${name}`, lookup);
      return lookup;
    }),
  );
  const addresses = lookups.flatMap((lookup) =>
    lookup.kind === 'found' ? shuffled(lookup.records, random) : [],
  );
  // A family without an answer proves nothing, and must not undo what the other one proves.
  const found = lookups.filter((lookup) => lookup.kind === 'found');
  const authentic = found.length > 0 && found.every((lookup) => lookup.authentic);
  const canonical = found.find((lookup) => lookup.canonical !== undefined)?.canonical;
  const failure = lookups.find((lookup) => lookup.kind === 'failed');
  const failed = failure?.kind === 'failed' && addresses.length === 0 ? failure.reason : undefined;
  return { ...host, addresses, authentic, canonical, failed, ours: isOwn(addresses, options) };
}

function resolvedAddress(host: Exchange, address: string, options: RouteOptions): Resolved {
  return { ...host, addresses: [address], failed: undefined, ours: isOwn([address], options) };
}

function isOwn(addresses: readonly string[], options: RouteOptions): boolean {
  if (options.permitLoopback) return false;
  return addresses.some((address) => options.ownAddresses.includes(address));
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let index = out.length - 1; index > 0; index -= 1) {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    const other = (a * 65_536 + b * 256 + c) % (index + 1);
    [out[index], out[other]] = [out[other] as T, out[index] as T];
  }
  return out;
}

function isRoot(exchange: string): boolean {
  return exchange === '.' || exchange === '';
}

function readable(lookup: Lookup<Exchange>): Lookup<string> {
  if (lookup.kind !== 'found') return lookup;
  const records = lookup.records.map(({ preference, exchange }) => `${preference} ${exchange}`);
  return { ...lookup, records };
}

function noAnswer(domain: string, reason: string): Routing {
  const text = `DNS gave no answer about ${domain}: ${reason}`;
  return { kind: 'deferred', status: '4.4.3', reason: text };
}

function failed(status: string, reason: string): Routing {
  return { kind: 'failed', status, reason };
}
