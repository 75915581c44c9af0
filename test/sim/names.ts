/** The DNS of the simulation: a zone, answers that come late or not at all, domains that flap. */

import type { Lookup, Resolver } from '#base/world.ts';
import type { Chance } from './chance.ts';
import type { Owner, Timeline } from './timeline.ts';

/** What the DNS says of a domain. */
export type Zone =
  /** SERVFAIL until `brokenUntilMs`. */
  | { readonly kind: 'mx'; readonly hosts: readonly Exchange[]; readonly brokenUntilMs?: number }
  | { readonly kind: 'nxdomain' }
  | { readonly kind: 'nodata' }
  | { readonly kind: 'null-mx' };

type Exchange = readonly [preference: number, host: string];

export class Names {
  readonly domains = new Map<string, Zone>();
  readonly hosts = new Map<string, readonly string[]>();
  /** Share of questions that get no answer. */
  failing = 0;
  readonly #timeline: Timeline;
  readonly #chance: Chance;

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline;
    this.#chance = chance;
  }

  /** The resolver of one host. */
  resolver(owner: Owner): Resolver {
    const later = <T>(answer: () => Lookup<T>): Promise<Lookup<T>> =>
      new Promise((resolve) => {
        const fails = this.#chance.odds(this.failing);
        const waitMs = fails ? 10_000 : this.#chance.skewed(300);
        this.#timeline.at(waitMs, owner, 'dns', () => {
          resolve(fails ? { kind: 'failed', reason: 'timeout' } : answer());
        });
      });
    const empty = <T>(): Promise<Lookup<T>> => later(() => NO_DATA);
    return {
      mx: (domain) => later(() => this.#mx(domain)),
      a: (host) => later(() => this.#a(host)),
      aaaa: empty,
      txt: empty,
      ptr: empty,
      tlsa: empty,
      srv: empty,
      caa: empty,
    };
  }

  #mx(domain: string): Lookup<{ readonly preference: number; readonly exchange: string }> {
    const zone = this.domains.get(domain);
    if (zone === undefined || zone.kind === 'nxdomain') return NO_SUCH;
    if (zone.kind === 'nodata') return NO_DATA;
    if (zone.kind === 'null-mx') return found([{ preference: 0, exchange: '.' }]);
    if (this.#timeline.nowMs < (zone.brokenUntilMs ?? 0)) {
      return { kind: 'failed', reason: 'SERVFAIL' };
    }
    return found(zone.hosts.map(([preference, exchange]) => ({ preference, exchange })));
  }

  #a(host: string): Lookup<string> {
    const addresses = this.hosts.get(host);
    if (addresses === undefined) return NO_SUCH;
    return addresses.length === 0 ? NO_DATA : found(addresses);
  }
}

const NO_SUCH = { kind: 'none', why: 'nxdomain', authentic: false } as const;
const NO_DATA = { kind: 'none', why: 'nodata', authentic: false } as const;

function found<T>(records: readonly T[]): Lookup<T> {
  return { kind: 'found', records, ttlSeconds: 60, authentic: false };
}
