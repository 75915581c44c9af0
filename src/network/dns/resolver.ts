/** The Resolver for real: questions to name servers, answers read with suspicion, cached. */

import type * as dns from 'dns-packet';
import { concat, latin1 } from '#base/bytes.ts';
import type {
  CaaRecord,
  Clock,
  Endpoint,
  Lookup,
  Random,
  Resolver,
  SrvRecord,
  TlsaRecord,
} from '#base/world.ts';
import { TtlCache } from './cache.ts';
import { anyName, questionName, reverseName } from './names.ts';
import type { RecordType } from './packet.ts';
import { Search, type Found } from './search.ts';
import { parseServer, systemServers } from './servers.ts';

export interface ResolverOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `127.0.0.1:5353`; undefined: those of /etc/resolv.conf. */
  readonly servers?: readonly string[];
  /** Which of them validate DNSSEC and are reached safely: only their AD bit is believed. */
  readonly validating?: readonly string[];
  /** For one question to one server. Default 3,000. */
  readonly tryMs?: number;
  /** For a whole lookup, with all servers and aliases. Default 12,000. */
  readonly totalMs?: number;
  /** How often each server is asked before giving up. Default 2. */
  readonly rounds?: number;
  /** Answers kept. Default 10,000. */
  readonly cacheEntries?: number;
  /** Memory for them, roughly. Default 33,554,432. */
  readonly cacheBytes?: number;
  /** Questions on their way at the same time; more wait. Default 256. */
  readonly concurrent?: number;
  /** Lookups that wait for that; more fail. Default 10,000. */
  readonly waiting?: number;
}

/** Aliases followed for one name (reliability: a chain of 20 is an attack). */
const ALIASES = 10;
const DAY_SECONDS = 86_400;
const NEGATIVE_SECONDS = 3_600;
/** One message has us ask for dozens of names of its sender's choice, each answer up to 64 KiB. */
const CACHE_BYTES = 33_554_432;
/** What an entry and each record of it take beside the octets that came. */
const ENTRY_BYTES = 300;

/**
 * A Resolver. It never rejects: whatever goes wrong is `failed` with the reason. A name that
 * cannot exist (not a domain name, not an address) is `none` with `nxdomain`.
 * MX exchanges and PTR names are lower case without trailing dot; the root is `.` (RFC 7505).
 */
export function dnsResolver(options: ResolverOptions): Resolver {
  const names = new Lookups(options);
  return {
    mx: (domain) => names.lookup(anyName(domain), 'MX', readMx),
    a: (host) => names.lookup(anyName(host), 'A', readText),
    aaaa: (host) => names.lookup(anyName(host), 'AAAA', readAaaa),
    txt: (name) => names.lookup(anyName(name), 'TXT', readTxt),
    ptr: (address) => names.lookup(reverseName(address), 'PTR', readName),
    tlsa: (name) => names.lookup(questionName(name), 'TLSA', readTlsa),
    srv: (name) => names.lookup(questionName(name), 'SRV', readSrv),
    caa: (name) => names.lookup(questionName(name), 'CAA', readCaa),
  };
}

class Lookups {
  readonly #search: Search;
  readonly #cache: TtlCache<Found>;
  readonly #running = new Map<string, Promise<Found>>();

  constructor(options: ResolverOptions) {
    const servers = options.servers?.map(parseServer) ?? systemServers();
    const trusted = new Set(options.validating?.map((text) => key(parseServer(text))));
    this.#search = new Search({
      clock: options.clock,
      random: options.random,
      servers: servers.map((server) => ({
        ...server,
        validating: trusted.has(key(server)),
      })),
      tryMs: options.tryMs ?? 3_000,
      totalMs: options.totalMs ?? 12_000,
      rounds: options.rounds ?? 2,
      aliases: ALIASES,
      concurrent: options.concurrent ?? 256,
      waiting: options.waiting ?? 10_000,
    });
    this.#cache = new TtlCache(options.clock, {
      entries: options.cacheEntries ?? 10_000,
      bytes: options.cacheBytes ?? CACHE_BYTES,
    });
  }

  async lookup<T>(
    name: string | undefined,
    type: RecordType,
    read: (answer: dns.Answer) => T | undefined,
  ): Promise<Lookup<T>> {
    if (name === undefined) return { kind: 'none', why: 'nxdomain', authentic: false };
    const found = await this.#found(name, type);
    if (found.kind === 'failed') return found;
    if (found.kind === 'none') {
      return { kind: 'none', why: found.why, authentic: found.authentic };
    }
    const records = found.answers.map(read).filter((record) => record !== undefined);
    if (records.length === 0) return { kind: 'none', why: 'nodata', authentic: found.authentic };
    const { ttlSeconds, authentic, name: owner } = found;
    const alias = owner === name ? {} : { canonical: owner };
    return { kind: 'found', records, ttlSeconds, authentic, ...alias };
  }

  /** From the cache, from the same question that is on its way already, or asked now. */
  #found(name: string, type: RecordType): Promise<Found> | Found {
    const key = `${type} ${name}`;
    const kept = this.#cache.get(key);
    if (kept !== undefined) {
      const { value, seconds } = kept;
      return value.kind === 'found' ? { ...value, ttlSeconds: seconds } : value;
    }
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = this.#search.run({ name, type }).then((found) => {
      this.#running.delete(key);
      if (found.kind !== 'failed') {
        this.#cache.set(key, found, keepSeconds(found), bytesOf(found));
      }
      return found;
    });
    this.#running.set(key, started);
    return started;
  }
}

function keepSeconds(found: Exclude<Found, { kind: 'failed' }>): number {
  const most = found.kind === 'found' ? DAY_SECONDS : NEGATIVE_SECONDS;
  return Math.min(found.ttlSeconds, most);
}

/** The octets of the answer are all held by the pieces of it that are kept. */
function bytesOf(found: Exclude<Found, { kind: 'failed' }>): number {
  if (found.kind === 'none') return ENTRY_BYTES;
  return found.octets + ENTRY_BYTES * (1 + found.answers.length);
}

function key(server: Endpoint): string {
  return `${server.address} ${server.port}`;
}

function readMx(answer: dns.Answer): { preference: number; exchange: string } | undefined {
  if (answer.type !== 'MX') return undefined;
  return { preference: answer.data.preference ?? 0, exchange: plainName(answer.data.exchange) };
}

function readText(answer: dns.Answer): string | undefined {
  return answer.type === 'A' ? answer.data : undefined;
}

function readAaaa(answer: dns.Answer): string | undefined {
  return answer.type === 'AAAA' ? answer.data : undefined;
}

function readName(answer: dns.Answer): string | undefined {
  return answer.type === 'PTR' ? plainName(answer.data) : undefined;
}

function readTxt(answer: dns.Answer): string | undefined {
  if (answer.type !== 'TXT') return undefined;
  const strings = Array.isArray(answer.data) ? answer.data : [answer.data];
  return latin1(concat(strings.map((one) => (typeof one === 'string' ? Buffer.from(one) : one))));
}

function readTlsa(answer: dns.Answer): TlsaRecord | undefined {
  if (answer.type !== 'TLSA') return undefined;
  const { usage, selector, matchingType, certificate } = answer.data;
  return { usage, selector, matching: matchingType, data: certificate };
}

function readSrv(answer: dns.Answer): SrvRecord | undefined {
  if (answer.type !== 'SRV') return undefined;
  const { priority = 0, weight = 0, port, target } = answer.data;
  return { priority, weight, port, target: plainName(target) };
}

function readCaa(answer: dns.Answer): CaaRecord | undefined {
  if (answer.type !== 'CAA') return undefined;
  const { flags = 0, tag, value } = answer.data;
  return { critical: (flags & 0x80) !== 0, tag: tag.toLowerCase(), value };
}

function plainName(name: string): string {
  return name === '.' ? name : name.toLowerCase();
}
