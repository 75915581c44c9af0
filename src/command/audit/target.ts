/** What the operator named as places: addresses and ports, through the DNS or our own settings. */

import type { Resolver } from '#base/world.ts';
import { type Place, USUAL_PORTS } from '#audit/discover/discover.ts';
import { normalAddress } from '../configuration/hosts.ts';
import { fromHere } from '../configuration/loopback.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT } from '../exit.ts';
import { listenerRows } from '../serve/listeners.ts';
import { namedPlace } from '../subjects.ts';

/** Places to look at, and the domain when the target is one. */
export interface Targeted {
  readonly places: readonly Place[];
  readonly domains: readonly string[];
}

const WRITTEN = 'Write it like mail.example.org, mail.example.org:25, example.org or self.';
const MX_HOSTS = 5;
const ADDRESSES = 4;

/** `host`, `host:port`, `[::1]:port` or a domain; a CommandError when it is none or has no address. */
export async function targeted(
  text: string,
  ports: readonly number[] | undefined,
  resolver: Resolver,
): Promise<Targeted> {
  const { host, port } = namedPlace(text, 'target', WRITTEN);
  const wanted = port === undefined ? (ports ?? USUAL_PORTS) : [port];
  const address = normalAddress(host);
  if (address !== undefined) return at([{ host: address, address, ports: wanted }]);
  if (host === 'localhost') {
    return at([{ host: 'localhost', address: '127.0.0.1', ports: wanted }]);
  }
  const exchanges = port === undefined ? await exchangesOf(host, resolver) : undefined;
  const isDomain = exchanges !== undefined;
  const hosts = exchanges ?? [host];
  const places: Place[] = [];
  for (const one of hosts) {
    for (const found of await addressesOf(one, resolver)) {
      places.push({ host: one, address: found, ports: wanted });
    }
  }
  if (isDomain) places.push(...(await policyHost(host, places, resolver)));
  if (places.length === 0 && !isDomain) {
    throw new CommandError(EXIT.usage, `${host} has no address`, 'Check the name.');
  }
  return { places, domains: isDomain ? [host] : [] };
}

/** Our own listeners, as the settings have them. */
export function ourselves(settings: Settings): Targeted {
  const ports = new Map<string, Set<number>>();
  for (const { hosts, port } of listenerRows(settings)) {
    for (const host of hosts) {
      const address = fromHere(host);
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

/** The hosts that receive the domain's mail, best first; none at a null MX, undefined without any MX. */
async function exchangesOf(
  domain: string,
  resolver: Resolver,
): Promise<readonly string[] | undefined> {
  const answer = await resolver.mx(domain);
  if (answer.kind === 'failed') {
    const cure = 'Try again, or name a host with its port.';
    throw new CommandError(EXIT.temporary, `no MX answer for ${domain}: ${answer.reason}`, cure);
  }
  if (answer.kind === 'none') return undefined;
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
