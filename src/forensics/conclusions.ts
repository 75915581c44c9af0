/** The three answers, in fixed words, each with how it is known; never a score. */

import type { Aligned, Grade } from './authentication/checks.ts';
import type { BaseRates, Case, Seen, Sign, Strength } from './case.ts';
import { domainOf, isPrivate } from './names/domains.ts';
import * as registry from './signs/index.ts';

/** The only headlines there are. */
export type Headline =
  | { readonly kind: 'authenticated'; readonly domain: string; readonly grade: 'P' | 'T' }
  | { readonly kind: 'not authenticated'; readonly domain: string }
  | { readonly kind: 'contradicts itself'; readonly why: string }
  | { readonly kind: 'cannot be determined'; readonly why: string };

/** A statement and how it is known. */
export interface Statement {
  readonly text: string;
  readonly grade: Grade;
}

export interface Finding {
  readonly sign: Sign;
  readonly strength: Strength;
  readonly seen: Seen;
  /** Of the sign in general: undefined where this one is worth something else. */
  readonly rates: BaseRates | undefined;
}

export interface Conclusions {
  readonly headline: Headline;
  readonly handedOver: Statement;
  readonly responsible: Statement;
  /** What speaks for something, strongest first; `dropped` ones apart. */
  readonly findings: readonly Finding[];
  readonly dropped: readonly Finding[];
}

/** Said under every headline: what was measured on real mail, see docs/forensics.md. */
export const CAUTION =
  'Authenticated is not trustworthy: of 7,909 real phishing messages 24 % passed DMARC.';

const ORDER: Readonly<Record<Strength, number>> = { strong: 0, weak: 1, context: 2, dropped: 3 };
const SIGNS: readonly Sign[] = Object.values(registry);

/** Answers the three questions about one message. Never fails. */
export function conclude(one: Case): Conclusions {
  const all = SIGNS.flatMap((sign) =>
    sign.look(one).map((seen) => {
      const strength = seen.strength ?? sign.strength;
      return { sign, seen, strength, rates: strength === sign.strength ? sign.rates : undefined };
    }),
  );
  const findings = all
    .filter(({ strength }) => strength !== 'dropped')
    .sort((a, b) => ORDER[a.strength] - ORDER[b.strength]);
  return {
    headline: headlineOf(one, findings),
    handedOver: handedOver(one),
    responsible: responsible(one),
    findings,
    dropped: all.filter(({ strength }) => strength === 'dropped'),
  };
}

/** A headline as a line of text. */
export function headlineText(headline: Headline): string {
  switch (headline.kind) {
    case 'authenticated':
      return `authenticated as ${headline.domain}`;
    case 'not authenticated':
      return `${headline.domain} not authenticated`;
    default:
      return `${headline.kind} (${headline.why})`;
  }
}

/**
 * Authenticated only if one author can be read, every way of reading shows that one, and a domain
 * that is proved or attested is the author's. Without an anchor there is no verdict at all.
 */
function headlineOf(
  { specimen, route, authentication, from }: Case,
  findings: readonly Finding[],
): Headline {
  if (!route.anchored) return { kind: 'cannot be determined', why: route.why };
  const contradiction = findings.find(
    ({ sign, strength }) => sign.contradiction === true && strength === 'strong',
  );
  if (contradiction !== undefined) {
    return { kind: 'contradicts itself', why: contradiction.sign.title };
  }
  const { author, aligned, denied, unknown } = authentication;
  // Behind the limit another From may stand, which a mail program shows.
  if (specimen.headCut) return { kind: 'cannot be determined', why: 'the header is too long' };
  if (author.kind !== 'author') {
    const kind = from.addresses.length === 0 ? 'cannot be determined' : 'contradicts itself';
    return { kind, why: author.why };
  }
  const shown = from.addresses.every((address) => {
    return domainOf(address) === author.domain || address.endsWith(`@${author.domain}`);
  });
  if (!shown) return { kind: 'contradicts itself', why: 'what is shown is not what is checked' };
  const best = bestOf(aligned);
  if (best !== undefined)
    return { kind: 'authenticated', domain: author.domain, grade: best.grade };
  const [first] = unknown;
  if (first !== undefined && !denied) return { kind: 'cannot be determined', why: first };
  return { kind: 'not authenticated', domain: author.domain };
}

function bestOf(aligned: readonly Aligned[]): Aligned | undefined {
  return aligned.find(({ grade }) => grade === 'P') ?? aligned[0];
}

/** Who handed it to us? */
function handedOver({ route }: Case): Statement {
  const { boundary } = route;
  if (boundary === undefined) {
    const top = route.hops[0]?.line;
    const said = top?.ip?.text ?? top?.helo?.text;
    const claim = said === undefined ? '' : `; the newest line says ${said}`;
    return { text: `nobody can say: ${route.why}${claim}`, grade: 'C' };
  }
  const { line, recorded } = boundary;
  const ip = recorded?.clientAddress ?? line.ip?.text;
  const by = line.by?.text ?? 'a trusted host';
  const grade = recorded === undefined ? 'T' : 'P';
  if (ip === undefined) return { text: `${by} took it, from whom it does not tell`, grade };
  const name = line.rdns === undefined ? 'without a name' : `named ${line.rdns.text}`;
  const login = line.login === undefined ? '' : `, logged in ${line.login.text}`.trimEnd();
  const own = isPrivate(ip) ? ' (a private address: --trusted-net, if it is yours)' : '';
  return { text: `${ip}${own}, ${name}${login}, to ${by}`, grade };
}

/** Which domain takes responsibility, and is it the one shown to the reader? */
function responsible({ authentication, from }: Case): Statement {
  const { aligned, unknown, signatures, spf } = authentication;
  const shown = domainOf(from.main.address) ?? 'nobody';
  const best = bestOf(aligned);
  if (best !== undefined)
    return { text: `${best.domain}, as shown: ${best.how}`, grade: best.grade };
  const signer = signatures.dkim.find(({ status }) => status === 'pass')?.domain;
  const sender = spf.result === 'pass' ? spf.domain : undefined;
  const other = signer ?? sender;
  if (other !== undefined) {
    const grade = signer === undefined ? spf.grade : 'P';
    return { text: `${other}, while ${shown} is shown`, grade };
  }
  const [why] = unknown;
  if (why !== undefined) return { text: `unknown; ${shown} is shown. ${why}`, grade: 'C' };
  return { text: `none; ${shown} is shown`, grade: 'I' };
}
