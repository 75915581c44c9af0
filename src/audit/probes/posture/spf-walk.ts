/** An SPF record with all that it includes, walked without a client: what it would cost and permit. */

import type { Resolver } from '#base/world.ts';
import { type Directive, isSpfRecord, parseSpfRecord, type SpfRecord } from '#trust/spf/record.ts';
import type { Piece } from '#trust/spf/macro.ts';
import { recordsOf } from './zone.ts';

/** What was met on the way. */
export interface SpfTree {
  /** The domain's own record. */
  readonly record: SpfRecord;
  /** Terms that ask the DNS, at worst (RFC 7208 4.6.4): 10 are allowed. */
  readonly lookups: number;
  /** Of those, names that hold nothing: 2 are allowed. */
  readonly voids: number;
  /** A domain that leads back to itself. */
  readonly loop: string | undefined;
  /** Included domains without exactly one good record. */
  readonly broken: readonly string[];
  readonly directives: readonly Directive[];
  /** Names with macros, and whatever the DNS did not answer: not followed. */
  readonly unknown: readonly string[];
}

const DOMAINS = 40;
const QUESTIONS = 120;

/** Walks from a record that was read; bounded by 40 domains and 120 questions. */
export async function walkSpf(
  domain: string,
  record: SpfRecord,
  resolver: Resolver,
): Promise<SpfTree> {
  const walk = new Walk(resolver);
  await walk.run(domain, record);
  const { lookups, voids, loop, broken, directives, unknown } = walk;
  return { record, lookups, voids, loop, broken, directives, unknown };
}

interface Visit {
  readonly domain: string;
  readonly record: SpfRecord;
  /** Domains from the first one to this. */
  readonly path: readonly string[];
}

class Walk {
  lookups = 0;
  voids = 0;
  loop: string | undefined;
  readonly broken: string[] = [];
  readonly directives: Directive[] = [];
  readonly unknown: string[] = [];
  readonly #resolver: Resolver;
  #questions = 0;

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  async run(domain: string, record: SpfRecord): Promise<void> {
    const visits: Visit[] = [{ domain, record, path: [domain] }];
    for (let at = 0; at < visits.length && at < DOMAINS; at += 1) {
      const visit = visits[at];
      if (visit === undefined) return;
      for (const directive of visit.record.directives) {
        this.directives.push(directive);
        const next = await this.#directive(directive, visit);
        if (next !== undefined) visits.push(next);
      }
      const { redirect } = visit.record;
      if (redirect === undefined) continue;
      const next = await this.#follow(redirect, visit);
      if (next !== undefined) visits.push(next);
    }
  }

  async #directive({ mechanism }: Directive, visit: Visit): Promise<Visit | undefined> {
    switch (mechanism.kind) {
      case 'include':
        return this.#follow(mechanism.domain, visit);
      case 'exists':
        this.lookups += 1;
        return undefined;
      case 'a':
      case 'mx':
      case 'ptr':
        this.lookups += 1;
        if (mechanism.kind !== 'ptr') await this.#countVoid(mechanism, visit.domain);
        return undefined;
      default:
        return undefined;
    }
  }

  async #countVoid(
    mechanism: { readonly kind: 'a' | 'mx'; readonly domain: readonly Piece[] | undefined },
    own: string,
  ): Promise<void> {
    const name = mechanism.domain === undefined ? own : plainSpec(mechanism.domain);
    if (name === undefined || !this.#mayAsk()) return;
    const answer =
      mechanism.kind === 'mx' ? await this.#resolver.mx(name) : await this.#resolver.a(name);
    if (answer.kind === 'none') this.voids += 1;
    if (answer.kind === 'failed') this.unknown.push(name);
  }

  /** include: and redirect=. */
  async #follow(spec: readonly Piece[], visit: Visit): Promise<Visit | undefined> {
    this.lookups += 1;
    const domain = plainSpec(spec);
    if (domain === undefined) {
      this.unknown.push('a name with macros');
      return undefined;
    }
    if (visit.path.includes(domain)) {
      this.loop ??= domain;
      return undefined;
    }
    if (!this.#mayAsk()) return undefined;
    const answer = await this.#resolver.txt(domain);
    if (answer.kind === 'failed') {
      this.unknown.push(domain);
      return undefined;
    }
    if (answer.kind === 'none') this.voids += 1;
    const [text, second] = recordsOf(answer).filter(isSpfRecord);
    const record = text === undefined ? undefined : parseSpfRecord(text);
    if (second !== undefined || record?.kind !== 'record') {
      this.broken.push(domain);
      return undefined;
    }
    return { domain, record, path: [...visit.path, domain] };
  }

  #mayAsk(): boolean {
    this.#questions += 1;
    return this.#questions <= QUESTIONS;
  }
}

/** The name that a domain-spec without macros stands for. */
function plainSpec(spec: readonly Piece[]): string | undefined {
  const texts = spec.filter((piece) => typeof piece === 'string');
  return texts.length === spec.length ? texts.join('').toLowerCase().replace(/\.$/, '') : undefined;
}
