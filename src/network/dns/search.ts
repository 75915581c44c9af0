/** A lookup from question to result: servers in turn, aliases followed, deadlines kept. */

import type * as dns from 'dns-packet';
import type { Clock, Endpoint, Random } from '#base/world.ts';
import { exchange, type Reached } from './exchange.ts';
import type { Question } from './packet.ts';
import { Turnstile } from './turnstile.ts';

export type Found =
  | {
      readonly kind: 'found';
      /** Who owns the answers: the name asked for, or what it is an alias of. */
      readonly name: string;
      readonly answers: readonly dns.Answer[];
      readonly ttlSeconds: number;
      readonly authentic: boolean;
      /** Of the message that they came in. */
      readonly octets: number;
    }
  | {
      readonly kind: 'none';
      readonly why: 'nxdomain' | 'nodata';
      /** From the SOA; 0 without one: not to be kept (RFC 2308 5). */
      readonly ttlSeconds: number;
      readonly authentic: boolean;
    }
  | { readonly kind: 'failed'; readonly reason: string };

export interface SearchOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly servers: readonly (Endpoint & { readonly validating: boolean })[];
  readonly tryMs: number;
  readonly totalMs: number;
  readonly rounds: number;
  readonly aliases: number;
  readonly concurrent: number;
  readonly waiting: number;
}

interface Told extends Extract<Reached, { kind: 'answered' }> {
  /** The AD bit, if the server may be believed. */
  readonly believed: boolean;
}

/** What came of following the aliases inside one answer. */
type Followed =
  | { readonly kind: 'end'; readonly name: string; readonly records: readonly dns.Answer[] }
  | { readonly kind: 'endless' };

const CODES: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  4: 'NOTIMP',
  5: 'REFUSED',
};

/**
 * Questions of one lookup. A resolver answers with the whole chain of aliases; one that makes us
 * ask for each is broken or makes us its amplifier: a message looks up many names.
 */
const QUESTIONS = 3;

export class Search {
  readonly #options: SearchOptions;
  readonly #turnstile: Turnstile;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#turnstile = new Turnstile(options.concurrent, options.waiting);
  }

  /** Never rejects. */
  async run(question: Question): Promise<Found> {
    const { clock, totalMs } = this.#options;
    const endMs = clock.elapsed() + totalMs;
    if (!(await this.#turnstile.enter())) return { kind: 'failed', reason: 'too many lookups' };
    try {
      // Whoever asked has gone by then: in a storm the places are for those who still wait.
      if (clock.elapsed() >= endMs) {
        return { kind: 'failed', reason: `too many lookups: no turn within ${totalMs} ms` };
      }
      return await this.#run(question, endMs);
    } catch (error) {
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      this.#turnstile.leave();
    }
  }

  async #run(question: Question, endMs: number): Promise<Found> {
    const seen: dns.Answer[] = [];
    let { name } = question;
    let authentic = true;
    for (let asked = 0; asked < QUESTIONS; asked += 1) {
      const told = await this.#ask({ name, type: question.type }, endMs);
      if (typeof told === 'string') return { kind: 'failed', reason: told };
      authentic &&= told.believed;
      const followed = follow(told.answers, { name, type: question.type }, seen, this.#options);
      if (followed.kind === 'endless') {
        return { kind: 'failed', reason: `more than ${this.#options.aliases} aliases` };
      }
      if (followed.records.length > 0) {
        const ttlSeconds = lowestTtl([...seen, ...followed.records]);
        return {
          kind: 'found',
          name: followed.name,
          answers: followed.records,
          ttlSeconds,
          authentic,
          octets: told.octets,
        };
      }
      const ended = followed.name === name || told.code === 3 || hasSoa(told);
      if (ended) {
        const why = told.code === 3 ? 'nxdomain' : 'nodata';
        const ttlSeconds = Math.min(lowestTtl(seen), negativeTtl(told));
        return { kind: 'none', why, ttlSeconds, authentic };
      }
      name = followed.name;
    }
    return { kind: 'failed', reason: `aliases not resolved after ${QUESTIONS} questions` };
  }

  /** Each server in turn, so many rounds; an answer, or the last reason for none. */
  async #ask(question: Question, endMs: number): Promise<Told | string> {
    const { clock, servers, rounds } = this.#options;
    let reason = servers.length === 0 ? 'no name server is configured' : 'no time was left';
    for (let turn = 0; turn < rounds * servers.length; turn += 1) {
      const server = servers[turn % servers.length];
      const leftMs = endMs - clock.elapsed();
      if (server === undefined) break;
      if (leftMs <= 0) return `${reason} (gave up after ${this.#options.totalMs} ms)`;
      const tryMs = Math.min(this.#options.tryMs, leftMs);
      const told = await exchange(question, server, { ...this.#options, tryMs });
      const where = `${server.address} port ${server.port}`;
      if (told.kind === 'unanswered') reason = `${where}: ${told.reason}`;
      else if (told.code !== 0 && told.code !== 3) {
        reason = `${where}: ${CODES[told.code] ?? `code ${told.code}`}`;
      } else return { ...told, believed: told.authentic && server.validating };
    }
    return reason;
  }
}

/** Follows CNAMEs from the question's name; those it went along are added to `seen`. */
function follow(
  answers: readonly dns.Answer[],
  question: Question,
  seen: dns.Answer[],
  limits: { readonly aliases: number },
): Followed {
  const aliases = new Map<string, dns.StringAnswer>();
  for (const answer of answers) {
    const owner = answer.name.toLowerCase();
    if (answer.type === 'CNAME' && !aliases.has(owner)) aliases.set(owner, answer);
  }
  let { name } = question;
  for (;;) {
    const alias = aliases.get(name);
    if (alias === undefined) break;
    seen.push(alias);
    // Also what ends a loop.
    if (seen.length > limits.aliases) return { kind: 'endless' };
    name = alias.data.toLowerCase();
  }
  const records = answers.filter(
    (answer) => answer.type === question.type && answer.name.toLowerCase() === name,
  );
  return { kind: 'end', name, records };
}

function lowestTtl(answers: readonly dns.Answer[]): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const answer of answers) {
    if ('ttl' in answer) lowest = Math.min(lowest, sane(answer.ttl));
  }
  return lowest;
}

/** The lesser of the SOA's TTL and its MINIMUM (RFC 2308 5). */
function negativeTtl(told: Told): number {
  for (const record of told.authorities) {
    if (record.type === 'SOA') return Math.min(sane(record.ttl), sane(record.data.minimum));
  }
  return 0;
}

function hasSoa(told: Told): boolean {
  return told.authorities.some((record) => record.type === 'SOA');
}

/** A time to live with the highest bit set counts as 0 (RFC 2181 8). */
function sane(ttl: number | undefined): number {
  return ttl === undefined || ttl < 0 || ttl > 0x7fffffff ? 0 : ttl;
}
