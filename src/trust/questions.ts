/** Questions to the DNS on behalf of one check: counted, timed, remembered and kept as facts. */

import { visible } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Json } from '#base/json.ts';
import type { Clock, Lookup, Resolver } from '#base/world.ts';

export type QuestionType = 'A' | 'AAAA' | 'MX' | 'PTR' | 'TXT';

/** One question and its answer, as the ledger keeps it: plain data, printable, bounded. */
export interface DnsFact {
  readonly type: QuestionType;
  readonly name: string;
  readonly answer: 'found' | 'nxdomain' | 'nodata' | 'failed';
  /** The first of them, each cut; octets that do not print are escaped. */
  readonly records: readonly string[];
  /** How many records there were. */
  readonly count: number;
  readonly ttlSeconds?: number;
  /** The AD bit from a resolver that is listed as validating. */
  readonly authentic: boolean;
  /** Why there was no answer. */
  readonly reason?: string;
}

/** Whoever answers: the Resolver, or the `Questions` of a larger whole, whose limits then hold too. */
export type Asked = Pick<Resolver, 'a' | 'aaaa' | 'mx' | 'ptr' | 'txt'>;

export interface QuestionOptions {
  readonly resolver: Asked;
  /** For the deadline; without a clock there is none but the resolver's own. */
  readonly clock?: Clock | undefined;
  /** For all questions together. Default 20,000 (RFC 7208 4.6.4 asks for at least 20 s). */
  readonly totalMs?: number | undefined;
  /** Different questions; further ones fail. Default 40. */
  readonly maxQuestions?: number | undefined;
}

const TOTAL_MS = 20_000;
const QUESTIONS = 40;
const FACT_RECORDS = 12;
/** A key of RSA 4,096 has 740: a signature can be checked again by what the ledger kept. */
const FACT_CHARACTERS = 1_024;
/** Characters of all records together: what one message writes into the ledger is bounded. */
const RECORD_CHARACTERS = 24_000;

/**
 * Asks the resolver, each question once: the same question gets the same answer. A question above
 * the limit, or after the deadline, is `failed` without being asked, and `exhausted` says why.
 */
export class Questions implements Asked {
  readonly facts: DnsFact[] = [];
  exhausted: 'time' | 'questions' | undefined;
  readonly #resolver: Asked;
  readonly #clock: Clock | undefined;
  readonly #until: number;
  readonly #totalMs: number;
  readonly #max: number;
  readonly #asked = new Map<string, Promise<Lookup<never>>>();

  constructor(options: QuestionOptions) {
    this.#resolver = options.resolver;
    this.#clock = options.clock;
    this.#totalMs = options.totalMs ?? TOTAL_MS;
    this.#until = (options.clock?.elapsed() ?? 0) + this.#totalMs;
    this.#max = options.maxQuestions ?? QUESTIONS;
  }

  a(name: string): Promise<Lookup<string>> {
    return this.#ask('A', name, () => this.#resolver.a(name), asText);
  }

  aaaa(name: string): Promise<Lookup<string>> {
    return this.#ask('AAAA', name, () => this.#resolver.aaaa(name), asText);
  }

  txt(name: string): Promise<Lookup<string>> {
    return this.#ask('TXT', name, () => this.#resolver.txt(name), asText);
  }

  /** Names of an IP address; the fact carries the address. */
  ptr(address: string): Promise<Lookup<string>> {
    return this.#ask('PTR', address, () => this.#resolver.ptr(address), asText);
  }

  mx(name: string): ReturnType<Resolver['mx']> {
    return this.#ask(
      'MX',
      name,
      () => this.#resolver.mx(name),
      (record) => `${record.preference} ${record.exchange}`,
    );
  }

  #ask<T>(
    type: QuestionType,
    name: string,
    ask: () => Promise<Lookup<T>>,
    show: (record: T) => string,
  ): Promise<Lookup<T>> {
    const key = `${type} ${name}`;
    const asked = this.#asked.get(key) as Promise<Lookup<T>> | undefined;
    if (asked !== undefined) return asked;
    const answer = this.#askOnce(type, name, ask, show);
    this.#asked.set(key, answer as Promise<Lookup<never>>);
    return answer;
  }

  async #askOnce<T>(
    type: QuestionType,
    name: string,
    ask: () => Promise<Lookup<T>>,
    show: (record: T) => string,
  ): Promise<Lookup<T>> {
    if (this.#asked.size >= this.#max) {
      this.exhausted ??= 'questions';
      return { kind: 'failed', reason: `more than ${this.#max} DNS questions` };
    }
    const answer = await this.#inTime(ask);
    this.facts.push(factOf(type, name, answer, show));
    return answer;
  }

  async #inTime<T>(ask: () => Promise<Lookup<T>>): Promise<Lookup<T>> {
    const clock = this.#clock;
    if (clock === undefined) return safely(ask);
    const leftMs = this.#until - clock.elapsed();
    const late: Lookup<T> = { kind: 'failed', reason: `no answer within ${this.#totalMs} ms` };
    if (leftMs <= 0) {
      this.exhausted ??= 'time';
      return late;
    }
    const { promise, resolve } = Promise.withResolvers<Lookup<T>>();
    const timer = clock.after(leftMs, () => {
      this.exhausted ??= 'time';
      resolve(late);
    });
    const answer = await Promise.race([safely(ask), promise]);
    timer.cancel();
    return answer;
  }
}

/**
 * Questions and answers for the ledger, in order: records as long as there is room, how many there
 * were where not all are shown, what the answer was where it is no record, the AD bit where it is
 * set.
 */
export function dnsEvidence(dns: readonly DnsFact[]): Json {
  let left = RECORD_CHARACTERS;
  return dns.map(({ type, name, answer, records, count, ttlSeconds, authentic, reason }) => {
    left -= records.reduce((sum, record) => sum + record.length, 0);
    const fits = left >= 0;
    return {
      type,
      name,
      ...(answer === 'found' ? { ttlSeconds } : { answer }),
      ...(authentic ? { authentic } : {}),
      ...(fits && records.length === count ? {} : { count }),
      ...(fits && count > 0 ? { records } : {}),
      ...(reason === undefined ? {} : { reason }),
    };
  });
}

/** A resolver never rejects; should one do so, that is no answer either. */
async function safely<T>(ask: () => Promise<Lookup<T>>): Promise<Lookup<T>> {
  try {
    return await ask();
  } catch (thrown) {
    return { kind: 'failed', reason: Failure.from(thrown).message };
  }
}

function factOf<T>(
  type: QuestionType,
  name: string,
  answer: Lookup<T>,
  show: (record: T) => string,
): DnsFact {
  const base = { type, name: visible(name, FACT_CHARACTERS) };
  if (answer.kind === 'failed') {
    const reason = visible(answer.reason, FACT_CHARACTERS);
    return { ...base, answer: 'failed', records: [], count: 0, authentic: false, reason };
  }
  const { authentic } = answer;
  if (answer.kind === 'none') {
    return { ...base, answer: answer.why, records: [], count: 0, authentic };
  }
  const { ttlSeconds, records } = answer;
  const shown = records.slice(0, FACT_RECORDS).map((one) => visible(show(one), FACT_CHARACTERS));
  return { ...base, answer: 'found', records: shown, count: records.length, ttlSeconds, authentic };
}

function asText(record: string): string {
  return record;
}
