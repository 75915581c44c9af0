/** What the operator named as places: addresses and ports, through the DNS or our own settings. */

import { isIpv4, normalIpv6, parseDomain } from '#base/domain.ts';
import type { Resolver } from '#base/world.ts';
import { type Place, USUAL_PORTS } from '#audit/discover/discover.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT } from '../exit.ts';
import { listenerRows } from '../serve/listeners.ts';

/** Places to look at, and the domain when the target is one. */
export interface Targeted {
  readonly places: readonly Place[];
  readonly domains: readonly string[];
}

const MX_HOSTS = 5;
const ADDRESSES = 4;
const UNSPECIFIED: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/** `host`, `host:port`, `[::1]:port` or a domain; a CommandError when it is none or has no address. */
export async function targeted(
  text: string,
  ports: readonly number[] | undefined,
  resolver: Resolver,
): Promise<Targeted> {
  const { host, port } = split(text);
  const wanted = port === undefined ? (ports ?? USUAL_PORTS) : [port];
  const address = isIpv4(host) ? host : normalIpv6(host);
  if (address !== undefined) return at([{ host: address, address, ports: wanted }]);
  if (host.toLowerCase() === 'localhost') {
    return at([{ host: 'localhost', address: '127.0.0.1', ports: wanted }]);
  }
  const name = parseDomain(host);
  if (name === undefined) throw usage(`"${text}" is neither a host nor a domain`);
  const exchanges = port === undefined ? await exchangesOf(name, resolver) : [];
  const hosts = exchanges.length === 0 ? [name] : exchanges;
  const places: Place[] = [];
  for (const one of hosts) {
    for (const found of await addressesOf(one, resolver)) {
      places.push({ host: one, address: found, ports: wanted });
    }
  }
  const isDomain = exchanges.length > 0;
  if (isDomain) places.push(...(await policyHost(name, places, resolver)));
  if (places.length === 0 && !isDomain) {
    throw new CommandError(EXIT.usage, `${name} has no address`, 'Check the name.');
  }
  return { places, domains: isDomain ? [name] : [] };
}

/** Our own listeners, as the settings have them. */
export function ourselves(settings: Settings): Targeted {
  const ports = new Map<string, Set<number>>();
  for (const { hosts, port } of listenerRows(settings)) {
    for (const host of hosts) {
      const address = UNSPECIFIED.get(host) ?? host;
      ports.set(address, (ports.get(address) ?? new Set()).add(port));
    }
  }
  const places = [...ports].map(([address, own]) => ({
    host: address,
    address,
    ports: [...own].sort((a, b) => a - b),
  }));
  return { places, domains: [] };
}

function at(places: readonly Place[]): Targeted {
  return { places, domains: [] };
}

function split(text: string): { readonly host: string; readonly port: number | undefined } {
  if (normalIpv6(text) !== undefined) return { host: text, port: undefined };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (host === undefined || port === 0 || (port ?? 1) > 65_535) {
    throw usage(`"${text}" is no target`);
  }
  return { host, port };
}

/** The hosts that receive the domain's mail, best first; none where it has no MX. */
async function exchangesOf(domain: string, resolver: Resolver): Promise<readonly string[]> {
  const answer = await resolver.mx(domain);
  if (answer.kind === 'failed') {
    const cure = 'Try again, or name a host with its port.';
    throw new CommandError(EXIT.temporary, `no MX answer for ${domain}: ${answer.reason}`, cure);
  }
  if (answer.kind === 'none') return [];
  return [...answer.records]
    .sort((a, b) => a.preference - b.preference)
    .map(({ exchange }) => exchange)
    .filter((exchange) => exchange !== '.')
    .slice(0, MX_HOSTS);
}

/** Where the MTA-STS policy is, no ports of it: a probe fetches the policy (RFC 8461 3.3). */
async function policyHost(
  domain: string,
  known: readonly Place[],
  resolver: Resolver,
): Promise<readonly Place[]> {
  const host = `mta-sts.${domain}`;
  const addresses = await addressesOf(host, resolver);
  return addresses
    .filter((address) => !known.some((place) => place.address === address))
    .map((address) => ({ host, address, ports: [] }));
}

async function addressesOf(host: string, resolver: Resolver): Promise<readonly string[]> {
  const answers = await Promise.all([resolver.a(host), resolver.aaaa(host)]);
  const all = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
  return all.slice(0, ADDRESSES);
}

function usage(message: string): CommandError {
  const cure = 'Write it like mail.example.org, mail.example.org:25, example.org or self.';
  return new CommandError(EXIT.usage, message, cure);
}
