/** One evaluation of SPF (RFC 7208 4.6, 5, 6): records followed under one set of limits. */

import type { Lookup } from '#base/world.ts';
import { dottedIp, inNetwork, parseIp, type IpAddress } from '#base/ip.ts';
import { isQueryName, isWithin, plainName } from '#trust/names.ts';
import type { Questions } from '#trust/questions.ts';
import { expandMacros, parseMacros, usesMacro, type MacroLetter, type Piece } from './macro.ts';
import type { SpfLimits, SpfResult } from './outcome.ts';
import type { DomainSpec, Mechanism, Qualifier, SpfRecord } from './record.ts';
import { isSpfRecord, parseSpfRecord } from './record.ts';

/** What macros are made of. */
export interface SpfFacts {
  readonly ip: IpAddress;
  readonly local: string;
  readonly senderDomain: string;
  readonly helo: string;
  readonly receiver: string;
  /** Since 1970. */
  readonly seconds: number;
}

export interface Verdict {
  readonly result: SpfResult;
  readonly mechanism: string;
  readonly why: string;
  /** Where to ask for the explanation of a fail. */
  readonly explanation?: { readonly target: DomainSpec; readonly domain: string };
}

/** A mechanism matches, does not, or ends the whole check (RFC 7208 4.6.2). */
type Match = boolean | Verdict;

const RESULTS: Readonly<Record<Qualifier, SpfResult>> = {
  '+': 'pass',
  '-': 'fail',
  '~': 'softfail',
  '?': 'neutral',
};
const NAME_OCTETS = 253;
const HELO_CHARACTERS = 255;

export class Evaluation {
  readonly #ask: Questions;
  readonly #facts: SpfFacts;
  readonly #limits: Required<Omit<SpfLimits, 'totalMs' | 'questions'>>;
  #terms = 0;
  #voids = 0;

  constructor(questions: Questions, limits: SpfLimits, facts: SpfFacts) {
    this.#ask = questions;
    this.#facts = { ...facts, helo: facts.helo.slice(0, HELO_CHARACTERS) };
    this.#limits = {
      terms: limits.terms ?? 10,
      voids: limits.voids ?? 2,
      names: limits.names ?? 10,
      recordBytes: limits.recordBytes ?? 10_000,
      expandedCharacters: limits.expandedCharacters ?? 4_096,
      explanationCharacters: limits.explanationCharacters ?? 250,
    };
  }

  /** check_host() for a domain that can be asked for; redirects are followed in turn. */
  async check(start: string): Promise<Verdict> {
    let domain = start;
    for (let first = true; ; first = false) {
      const record = await this.#record(domain);
      if ('result' in record) {
        if (first || record.result !== 'none') return record;
        return stop('permerror', `redirect to ${domain}: ${record.why}`);
      }
      const verdict = await this.#directives(record, domain);
      if (verdict !== undefined) return verdict;
      if (record.redirect === undefined) {
        return { result: 'neutral', mechanism: 'default', why: `nothing in ${domain} matches` };
      }
      const over = this.#countTerm();
      if (over !== undefined) return over;
      const target = await this.#target(record.redirect, domain);
      if (target === undefined) return stop('permerror', `${domain} redirects to no domain`);
      domain = target;
    }
  }

  /** The explanation of a fail (RFC 7208 6.2), printable ASCII; undefined if there is none. */
  async explain({ explanation }: Verdict): Promise<string | undefined> {
    if (explanation === undefined) return undefined;
    const target = await this.#target(explanation.target, explanation.domain);
    if (target === undefined) return undefined;
    const answer = await this.#ask.txt(target);
    const [text, ...more] = answer.kind === 'found' ? answer.records : [];
    if (text === undefined || more.length > 0) return undefined;
    const pieces = parseMacros(text.slice(0, this.#limits.recordBytes), 'explanation');
    if (pieces === undefined) return undefined;
    const { expandedCharacters, explanationCharacters } = this.#limits;
    const expanded = await this.#expand(pieces, explanation.domain, expandedCharacters);
    const clean = expanded?.slice(0, explanationCharacters).replace(/[^\x20-\x7e]/g, '?');
    return clean === '' ? undefined : clean;
  }

  /** The one record of a domain, or why there is none (RFC 7208 4.4, 4.5). */
  async #record(domain: string): Promise<SpfRecord | Verdict> {
    const answer = await this.#ask.txt(domain);
    if (answer.kind === 'failed') return this.#noAnswer(`TXT of ${domain}`, answer.reason);
    const texts = answer.kind === 'found' ? answer.records : [];
    const [text, ...more] = texts.filter(isSpfRecord);
    if (text === undefined) return stop('none', `${domain} has no SPF record`);
    if (more.length > 0) return stop('permerror', `${domain} has several SPF records`);
    if (text.length > this.#limits.recordBytes) {
      return stop('permerror', `the record of ${domain} has ${text.length} octets`);
    }
    const record = parseSpfRecord(text);
    return record.kind === 'record' ? record : stop('permerror', `${domain}: ${record.what}`);
  }

  async #directives(record: SpfRecord, domain: string): Promise<Verdict | undefined> {
    for (const { qualifier, mechanism, text } of record.directives) {
      const match = await this.#matches(mechanism, domain);
      if (match === false) continue;
      if (match !== true) return match;
      const result = RESULTS[qualifier];
      const verdict = { result, mechanism: text, why: `${text} of ${domain} matches` };
      if (result !== 'fail' || record.explanation === undefined) return verdict;
      return { ...verdict, explanation: { target: record.explanation, domain } };
    }
    return undefined;
  }

  async #matches(mechanism: Mechanism, domain: string): Promise<Match> {
    if (mechanism.kind === 'all') return true;
    if (mechanism.kind === 'ip') {
      return inNetwork(this.#facts.ip, mechanism.network, mechanism.bits);
    }
    const over = this.#countTerm();
    if (over !== undefined) return over;
    if (mechanism.domain !== undefined && this.#isBeyondAscii(mechanism.domain)) return false;
    const target =
      mechanism.domain === undefined ? domain : await this.#target(mechanism.domain, domain);
    // RFC 7208 4.8 leaves open what a name that cannot exist means: here it matches nothing.
    if (target === undefined && mechanism.kind !== 'include') return false;
    switch (mechanism.kind) {
      case 'include':
        return this.#include(target, domain);
      case 'exists':
        return this.#addresses(await this.#ask.a(target ?? ''), `A of ${target}`, () => true);
      case 'a':
        return this.#host(target ?? '', mechanism);
      case 'mx':
        return this.#exchangers(target ?? '', mechanism);
      case 'ptr':
        return this.#pointer(target ?? '');
    }
  }

  /** Depth is bounded by the limit on terms, which all levels share (RFC 7208 4.1, 5.2). */
  async #include(target: string | undefined, domain: string): Promise<Match> {
    if (target === undefined) return stop('permerror', `${domain} includes no domain`);
    const inner = await this.check(target);
    switch (inner.result) {
      case 'pass':
        return true;
      case 'temperror':
      case 'permerror':
        return inner;
      case 'none':
        return stop('permerror', `${domain} includes ${target}: ${inner.why}`);
      default:
        return false;
    }
  }

  async #host(name: string, bits: Bits): Promise<Match> {
    const { answer, what } = await this.#hostAnswer(name);
    return this.#addresses(answer, what, (address) => this.#isClient(address, bits));
  }

  async #exchangers(name: string, bits: Bits): Promise<Match> {
    const answer = await this.#ask.mx(name);
    if (answer.kind === 'failed') return this.#noAnswer(`MX of ${name}`, answer.reason);
    if (answer.kind === 'none') return this.#countVoid(`MX of ${name}`);
    if (answer.records.length > this.#limits.names) {
      return stop('permerror', `${name} has ${answer.records.length} mail exchangers`);
    }
    let empty = true;
    for (const { exchange } of answer.records) {
      const host = plainName(exchange);
      if (!isQueryName(host)) continue;
      const { answer: addresses, what } = await this.#hostAnswer(host);
      if (addresses.kind === 'failed') return this.#noAnswer(what, addresses.reason);
      if (addresses.kind === 'none') continue;
      if (addresses.records.some((address) => this.#isClient(address, bits))) return true;
      empty = false;
    }
    return empty ? this.#countVoid(`hosts of ${name}`) : false;
  }

  /** RFC 7208 5.5. The client's owner writes these records: they are no void lookups. */
  async #pointer(target: string): Promise<Match> {
    for (const name of await this.#validatedNames()) if (isWithin(name, target)) return true;
    return false;
  }

  /** The names of the client that lead back to it; a failed question is a name left out. */
  async #validatedNames(): Promise<string[]> {
    const answer = await this.#ask.ptr(this.#facts.ip.text);
    if (answer.kind !== 'found') return [];
    const names: string[] = [];
    for (const name of answer.records.slice(0, this.#limits.names).map(plainName)) {
      if (!isQueryName(name)) continue;
      const { answer: addresses } = await this.#hostAnswer(name);
      const found = addresses.kind === 'found' ? addresses.records : [];
      if (found.some((address) => this.#isClient(address, WHOLE))) names.push(name);
    }
    return names;
  }

  /** A or AAAA, as the client's family is (RFC 7208 5). */
  async #hostAnswer(name: string): Promise<{ answer: Lookup<string>; what: string }> {
    const six = this.#facts.ip.family === 6;
    const answer = await (six ? this.#ask.aaaa(name) : this.#ask.a(name));
    return { answer, what: `${six ? 'AAAA' : 'A'} of ${name}` };
  }

  #addresses(answer: Lookup<string>, what: string, test: (address: string) => boolean): Match {
    if (answer.kind === 'failed') return this.#noAnswer(what, answer.reason);
    if (answer.kind === 'none') return this.#countVoid(what);
    return answer.records.some(test);
  }

  #isClient(text: string, bits: Bits): boolean {
    const address = parseIp(text);
    if (address === undefined) return false;
    return inNetwork(this.#facts.ip, address, address.family === 4 ? bits.bits4 : bits.bits6);
  }

  /** Counts a term that asks the DNS; above the limit the check is over (RFC 7208 4.6.4). */
  #countTerm(): Verdict | undefined {
    this.#terms++;
    if (this.#terms <= this.#limits.terms) return undefined;
    return stop('permerror', `more than ${this.#limits.terms} terms ask the DNS`);
  }

  #countVoid(what: string): Match {
    this.#voids++;
    if (this.#voids <= this.#limits.voids) return false;
    return stop('permerror', `more than ${this.#limits.voids} void lookups: ${what}`);
  }

  /** No answer is temporary, but too many questions are the record's fault. */
  #noAnswer(what: string, reason: string): Verdict {
    const result = this.#ask.exhausted === 'questions' ? 'permerror' : 'temperror';
    return stop(result, `${what}: ${reason}`);
  }

  /** A domain-spec as a name to ask for, or undefined if no such name can exist. */
  async #target(spec: DomainSpec, domain: string): Promise<string | undefined> {
    const text = await this.#expand(spec, domain, this.#limits.expandedCharacters);
    if (text === undefined) return undefined;
    const name = plainName(text);
    const kept = name.length <= NAME_OCTETS ? name : cutLeft(name);
    return isQueryName(kept) ? kept : undefined;
  }

  /** RFC 8616 4: with a local part that is not ASCII, a term that uses it matches nothing. */
  #isBeyondAscii(spec: DomainSpec): boolean {
    if (!/[^\x00-\x7f]/.test(this.#facts.local)) return false;
    return usesMacro(spec, 's') || usesMacro(spec, 'l');
  }

  async #expand(
    pieces: readonly Piece[],
    domain: string,
    max: number,
  ): Promise<string | undefined> {
    const name = usesMacro(pieces, 'p') ? await this.#clientName(domain) : undefined;
    return expandMacros(pieces, (letter) => this.#value(letter, domain, name), max);
  }

  #value(letter: MacroLetter, domain: string, name: string | undefined): string | undefined {
    const { ip, local, senderDomain, helo, receiver, seconds } = this.#facts;
    const values: Readonly<Record<MacroLetter, string | undefined>> = {
      s: `${local}@${senderDomain}`,
      l: local,
      o: senderDomain,
      d: domain,
      i: dottedIp(ip),
      p: name ?? 'unknown',
      v: ip.family === 4 ? 'in-addr' : 'ip6',
      h: helo,
      c: ip.text,
      r: receiver,
      t: String(seconds),
    };
    return values[letter];
  }

  /** `%{p}`: the domain itself, else a name below it, else any (RFC 7208 7.3). */
  async #clientName(domain: string): Promise<string | undefined> {
    const names = await this.#validatedNames();
    return (
      names.find((name) => name === domain) ??
      names.find((name) => isWithin(name, domain)) ??
      names[0]
    );
  }
}

type Bits = { readonly bits4: number; readonly bits6: number };

const WHOLE: Bits = { bits4: 32, bits6: 128 };

function stop(result: SpfResult, why: string): Verdict {
  return { result, mechanism: 'default', why };
}

/** RFC 7208 7.3: labels go on the left until 253 characters are left. */
function cutLeft(name: string): string {
  const from = name.length - NAME_OCTETS;
  const dot = name.indexOf('.', from - 1);
  return dot === -1 ? '' : name.slice(dot + 1);
}
