/** The World for real: this machine's clock, chance, sockets, names, log and figures. */

import { networkInterfaces } from 'node:os';
import type { Log, Metrics, Resolver, World } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { dnsResolver } from '#network/dns/resolver.ts';
import { systemRandom } from '#network/random.ts';
import { inheritedSockets } from '#network/inherited.ts';
import { tcpNetwork } from '#network/tcp.ts';
import type { Settings } from '../configuration/settings.ts';

/** Puts it together as the settings say. */
export function systemWorld(settings: Settings, log: Log, metrics: Metrics): World {
  return {
    clock: systemClock,
    random: systemRandom,
    network: tcpNetwork({
      inherited: inheritedSockets(process.env, process.pid),
      acceptFailed: ({ message }) => log.event('error', 'accept-failed', { reason: message }),
    }),
    resolver: systemResolver(settings),
    log,
    metrics,
  };
}

/** The name servers of the settings, else those of this machine. */
export function systemResolver(settings: Settings): Resolver {
  const { resolver_addresses: servers, resolver_validating: validating } = settings;
  return dnsResolver({
    clock: systemClock,
    random: systemRandom,
    ...(servers.length === 0 ? {} : { servers: servers.map(placeText) }),
    validating: validating.map(placeText),
    tryMs: settings.resolver_timeout,
  });
}

/** The addresses of this machine's interfaces. */
export function machineAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address));
}

function placeText(place: { readonly address: string; readonly port: number }): string {
  return `[${place.address}]:${place.port}`;
}
