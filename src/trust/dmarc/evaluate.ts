/** DMARC (RFC 9989): does what was authenticated belong to the author, and what if not? */

import { visible } from '#base/bytes.ts';
import type { Clock } from '#base/world.ts';
import { asciiName, isWithin, parentName, plainName } from '#trust/names.ts';
import { type Asked, type DnsFact, Questions } from '#trust/questions.ts';
import { type Author, hasNoPolicy } from './author.ts';
import type { DmarcPolicy, DmarcRecord } from './record.ts';
import { type Found, organizationalDomain, publicSuffix, recordOf, walkTree } from './walk.ts';

/** One result of SPF or DKIM, and the domain that it is about. */
export interface Authenticated {
  readonly result: string;
  /** MAIL FROM's domain, or HELO's name for `<>`; the `d=` of a signature. */
  readonly domain: string;
}

export interface DmarcQuestion {
  readonly author: Author;
  /** Undefined where SPF was not checked at all. */
  readonly spf?: Authenticated | undefined;
  readonly dkim: readonly Authenticated[];
  readonly resolver: Asked;
  /** For the deadline; without it there is none. */
  readonly clock?: Clock | undefined;
  readonly limits?: DmarcLimits;
}

export interface DmarcLimits {
  /** Milliseconds for all of it. Default 20,000. */
  readonly totalMs?: number;
  /** Different questions to the DNS. Default 20. */
  readonly questions?: number;
  /** Different domains that are held against the author's. Default 10. */
  readonly identifiers?: number;
}

export interface Aligned {
  readonly method: 'spf' | 'dkim';
  readonly domain: string;
  readonly how: 'same domain' | 'same organizational domain';
}

export interface AppliedPolicy {
  /** Where the record was found, and what that domain is to the author's. */
  readonly domain: string;
  readonly place: 'author' | 'organizational' | 'public-suffix';
  readonly record: DmarcRecord;
}

export interface DmarcOutcome {
  /** `none`: there is no policy. `permerror`: no author that a policy could be asked for. */
  readonly result: 'none' | 'pass' | 'fail' | 'temperror' | 'permerror';
  /** In words, printable. */
  readonly why: string;
  readonly author: string | undefined;
  /**
   * What to do with this message as the domain's owner asks, `t=y` accounted for. `reject` for an
   * unusable author too: RFC 9989 lets receivers refuse those. Never more than `none` for
   * `temperror`: what is not known is asked for by nobody.
   */
  readonly disposition: DmarcPolicy;
  /**
   * With `temperror`: what a fail would ask for, as far as a policy of the author's domain or of
   * one above it could be read; else `none`.
   */
  readonly atStake: DmarcPolicy;
  /** Which tag the disposition of a fail comes from. */
  readonly tag: 'p' | 'sp' | 'np' | undefined;
  readonly policy: AppliedPolicy | undefined;
  /** Everything that passed and is aligned; the first would be enough. */
  readonly aligned: readonly Aligned[];
  readonly lookups: readonly DnsFact[];
}

/** Evaluates DMARC. Never fails: no answer from the DNS is `temperror`. */
export async function evaluateDmarc(question: DmarcQuestion): Promise<DmarcOutcome> {
  const { author, resolver, clock, limits = {} } = question;
  const { totalMs, questions: maxQuestions = QUESTIONS } = limits;
  const questions = new Questions({ resolver, clock, totalMs, maxQuestions });
  const verdict =
    author.kind === 'unusable'
      ? ({ result: 'permerror', why: author.why, disposition: 'reject' } as const)
      : hasNoPolicy(author.domain)
        ? ({ result: 'none', why: 'From has an address literal' } as const)
        : await new Evaluation(questions, question, plainName(author.domain)).run();
  return {
    author: author.kind === 'author' ? author.domain : undefined,
    disposition: 'none',
    atStake: 'none',
    tag: undefined,
    policy: undefined,
    aligned: [],
    ...verdict,
    why: visible(verdict.why),
    lookups: questions.facts,
  };
}

const QUESTIONS = 20;

type Verdict = Pick<DmarcOutcome, 'result' | 'why'> &
  Partial<Pick<DmarcOutcome, 'disposition' | 'atStake' | 'tag' | 'policy' | 'aligned'>>;

/** What a policy asks for if nothing is aligned, and by which tag. */
interface Wish {
  readonly tag: DmarcOutcome['tag'];
  readonly policy: DmarcPolicy;
  /** Why it cannot be told: `np` says something else, and whether the domain exists is not known. */
  readonly unknown?: string;
}

/** How one identifier stands to the author; `unknown` when the DNS would not say. */
type Alignment = Aligned['how'] | 'none' | 'unknown';

class Evaluation {
  readonly #questions: Questions;
  readonly #question: DmarcQuestion;
  readonly #author: string;
  readonly #identifiers: number;
  /** What the DNS did not answer last. */
  #trouble = '';

  constructor(questions: Questions, question: DmarcQuestion, author: string) {
    this.#questions = questions;
    this.#question = question;
    this.#author = author;
    this.#identifiers = question.limits?.identifiers ?? 10;
  }

  async run(): Promise<Verdict> {
    const policy = await this.#discover();
    if (policy === undefined) return { result: 'none', why: `no policy for ${this.#author}` };
    if (policy === 'unknown') {
      const above = await this.#discoverAbove();
      return { ...(await this.#open(this.#trouble, above)), policy: undefined };
    }
    const { record, domain } = policy;
    if (record.unusable !== undefined) {
      return { result: 'none', why: `${domain}: ${record.unusable}`, policy };
    }
    const passed = await this.#alignAll('pass', record);
    if (passed.aligned.length > 0) {
      const why = passed.aligned.map((one) => `${one.method} of ${one.domain}`).join(', ');
      return { result: 'pass', why: `aligned by ${why}`, policy, aligned: passed.aligned };
    }
    // What failed for want of an answer might have passed: that is no reason to refuse for ever.
    const late = await this.#alignAll('temperror', record);
    const [maybe] = late.aligned;
    if (maybe !== undefined) {
      return this.#open(`${maybe.method} of ${maybe.domain} unknown`, policy);
    }
    if (passed.unknown || late.unknown) return this.#open(this.#trouble, policy);
    return this.#fail(policy);
  }

  /** RFC 9989 4.10.1: the author's own record, else its organization's, else its suffix's. */
  async #discover(): Promise<AppliedPolicy | 'unknown' | undefined> {
    const own = await recordOf(this.#questions, this.#author);
    if (own?.kind === 'failed') return this.#noAnswer(own);
    if (own !== undefined) return { domain: this.#author, place: 'author', record: own.record };
    const found = await this.#walk(this.#author);
    return found === 'unknown' ? found : this.#policyOf(found);
  }

  /** The policy among the records of a walk from the author upwards. */
  #policyOf(found: readonly Found[]): AppliedPolicy | undefined {
    const organization = organizationalDomain(this.#author, found);
    const above = found.find(({ domain }) => domain === organization);
    if (above !== undefined) return { ...above, place: 'organizational' };
    const suffix = publicSuffix(found);
    return suffix === undefined ? undefined : { ...suffix, place: 'public-suffix' };
  }

  /** What holds above the domains that gave no answer: their own records might say otherwise. */
  async #discoverAbove(): Promise<AppliedPolicy | undefined> {
    let walk = await walkTree(this.#questions, this.#author);
    while (walk.kind === 'failed') {
      const above = parentName(walk.domain);
      if (above === undefined) return undefined;
      walk = await walkTree(this.#questions, above);
    }
    return this.#policyOf(walk.found);
  }

  /** All identifiers with a result that are aligned, each domain looked at once a method. */
  async #alignAll(
    result: string,
    record: DmarcRecord,
  ): Promise<{ readonly aligned: Aligned[]; readonly unknown: boolean }> {
    const { spf, dkim } = this.#question;
    const aligned: Aligned[] = [];
    let unknown = false;
    const signers = new Set(dkim.filter((one) => one.result === result).map(domainOf));
    const sender = spf?.result === result ? domainOf(spf) : undefined;
    const pairs = [...signers].slice(0, this.#identifiers).map((domain) => ({
      method: 'dkim' as const,
      domain,
      strict: record.dkimMode === 's',
    }));
    const spfPair = { method: 'spf' as const, strict: record.spfMode === 's' };
    for (const { method, domain, strict } of [
      ...pairs,
      ...(sender === undefined ? [] : [{ ...spfPair, domain: sender }]),
    ]) {
      const how = await this.#align(domain, strict);
      if (how === 'unknown') unknown = true;
      else if (how !== 'none') aligned.push({ method, domain: visible(domain), how });
    }
    return { aligned, unknown };
  }

  /** RFC 9989 4.4: the same domain, or (relaxed) the same organizational domain. */
  async #align(domain: string, strict: boolean): Promise<Alignment> {
    if (domain === this.#author) return 'same domain';
    if (strict || domain === '') return 'none';
    // Nothing to ask for domains that have not even the top-level domain in common.
    if (topLabel(domain) !== topLabel(this.#author)) return 'none';
    const ours = await this.#organization(this.#author);
    if (ours === undefined) return 'unknown';
    if (!isWithin(domain, ours)) return 'none';
    const theirs = await this.#organization(domain);
    if (theirs === undefined) return 'unknown';
    return theirs === ours ? 'same organizational domain' : 'none';
  }

  async #organization(domain: string): Promise<string | undefined> {
    const found = await this.#walk(domain);
    return found === 'unknown' ? undefined : organizationalDomain(domain, found);
  }

  async #walk(domain: string): Promise<readonly Found[] | 'unknown'> {
    const walk = await walkTree(this.#questions, domain);
    return walk.kind === 'failed' ? this.#noAnswer(walk) : walk.found;
  }

  #noAnswer({ domain, reason }: { readonly domain: string; readonly reason: string }): 'unknown' {
    this.#trouble = `TXT of _dmarc.${domain}: ${reason}`;
    return 'unknown';
  }

  async #fail(policy: AppliedPolicy): Promise<Verdict> {
    const { record, domain } = policy;
    const asked = await this.#asks(policy);
    if (asked.unknown !== undefined) return this.#open(asked.unknown, policy);
    const { tag } = asked;
    const testing = record.testing ? ', testing' : '';
    const why = `nothing aligned with ${this.#author}; ${tag}=${asked.policy} of ${domain}${testing}`;
    return { result: 'fail', why, disposition: dispositionOf(asked, policy), tag, policy };
  }

  /** No answer of the DNS, and what it leaves open. */
  async #open(why: string, policy: AppliedPolicy | undefined): Promise<Verdict> {
    const atStake =
      policy === undefined || policy.record.unusable !== undefined
        ? 'none'
        : dispositionOf(await this.#asks(policy), policy);
    return { result: 'temperror', why, policy, atStake };
  }

  /** RFC 9989 4.10.1: `p` for the author's own record, else `np` or `sp`. */
  async #asks({ record, place }: AppliedPolicy): Promise<Wish> {
    if (place === 'author') return { tag: 'p', policy: record.policy };
    const below = {
      tag: record.subdomains === undefined ? 'p' : 'sp',
      policy: record.subdomains ?? record.policy,
    } as const;
    const { nonexistent } = record;
    if (nonexistent === undefined || nonexistent === below.policy) return below;
    // RFC 8020: NXDOMAIN for any type means that the name is not there at all.
    const answer = await this.#questions.a(this.#author);
    if (answer.kind === 'failed') {
      const unknown = `A of ${this.#author}: ${answer.reason}`;
      return { ...below, policy: stricter(below.policy, nonexistent), unknown };
    }
    const absent = answer.kind === 'none' && answer.why === 'nxdomain';
    return absent ? { tag: 'np', policy: nonexistent } : below;
  }
}

/** What is done about a fail: `t=y` is a step less. */
function dispositionOf({ policy }: Wish, { record }: AppliedPolicy): DmarcPolicy {
  return record.testing ? STEP_LESS[policy] : policy;
}

function stricter(one: DmarcPolicy, other: DmarcPolicy): DmarcPolicy {
  return STRICTNESS.indexOf(one) > STRICTNESS.indexOf(other) ? one : other;
}

const STRICTNESS: readonly DmarcPolicy[] = ['none', 'quarantine', 'reject'];

/** What `t=y` makes of a policy. */
const STEP_LESS: Readonly<Record<DmarcPolicy, DmarcPolicy>> = {
  reject: 'quarantine',
  quarantine: 'none',
  none: 'none',
};

function domainOf(one: Authenticated): string {
  return plainName(asciiName(one.domain));
}

function topLabel(domain: string): string {
  return domain.slice(domain.lastIndexOf('.') + 1);
}
