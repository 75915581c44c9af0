/** A Resolver over a zone held in memory, for suites and tests; faults and CNAMEs included. */

import type { Lookup, Resolver } from '#base/world.ts';
import { dottedIp, parseIp } from '#base/ip.ts';

/** The records of one name; a type that is not there has none. */
export interface ZoneName {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly mx?: readonly (readonly [preference: number, exchange: string])[];
  readonly txt?: readonly string[];
  readonly ptr?: readonly string[];
  readonly cname?: string;
  /** Types that are not listed get no answer. */
  readonly timeout?: boolean;
}

export interface ZoneResolver extends Resolver {
  /** Every question, `TXT example.com`. */
  readonly questions: string[];
}

const ALIASES = 10;

/** PTR records stand under `4.3.2.1.in-addr.arpa`. Names in any case. */
export function zoneResolver(zone: Readonly<Record<string, ZoneName>>): ZoneResolver {
  const names = new Map(Object.entries(zone).map(([name, entry]) => [plain(name), entry]));
  const questions: string[] = [];
  const ask = async <T>(
    type: string,
    asked: string,
    read: (entry: ZoneName) => readonly T[] | undefined,
  ): Promise<Lookup<T>> => {
    questions.push(`${type} ${asked}`);
    let name = plain(asked);
    for (let alias = 0; alias < ALIASES; alias++) {
      const entry = names.get(name);
      const above = [...names.keys()].some((key) => key.endsWith(`.${name}`));
      if (entry === undefined) {
        return { kind: 'none', why: above ? 'nodata' : 'nxdomain', authentic: false };
      }
      const records = read(entry);
      if (records !== undefined && records.length > 0) {
        return { kind: 'found', records, ttlSeconds: 300, authentic: false };
      }
      if (entry.timeout === true) return { kind: 'failed', reason: 'timeout' };
      if (entry.cname === undefined) return { kind: 'none', why: 'nodata', authentic: false };
      name = plain(entry.cname);
    }
    return { kind: 'failed', reason: 'too many aliases' };
  };
  return {
    questions,
    a: (name) => ask('A', name, (entry) => entry.a),
    aaaa: (name) => ask('AAAA', name, (entry) => entry.aaaa),
    txt: (name) => ask('TXT', name, (entry) => entry.txt),
    mx: (name) =>
      ask('MX', name, (entry) =>
        entry.mx?.map(([preference, exchange]) => ({ preference, exchange })),
      ),
    ptr: (address) => ask('PTR', arpa(address), (entry) => entry.ptr),
    tlsa: (name) => ask('TLSA', name, () => undefined),
    srv: (name) => ask('SRV', name, () => undefined),
    caa: (name) => ask('CAA', name, () => undefined),
  };
}

function arpa(address: string): string {
  const ip = parseIp(address)!;
  const parts = dottedIp(ip).split('.').toReversed().join('.');
  return `${parts}.${ip.family === 4 ? 'in-addr' : 'ip6'}.arpa`;
}

function plain(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
