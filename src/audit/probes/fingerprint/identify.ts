/** From answers to a product: traits are weighed, and what contradicts itself is `unknown`. */

import type { Protocol } from '../../finding.ts';
import { type Question, SIGNATURES } from './signatures.ts';

export type Answers = ReadonlyMap<Question, string>;

export type Identity =
  | {
      readonly kind: 'known';
      readonly product: string;
      /** `confirmed`: several traits agree and none contradicts; else `likely`. */
      readonly confidence: 'confirmed' | 'likely';
      readonly traits: readonly Question[];
    }
  | { readonly kind: 'unknown'; readonly why: string };

/** What a name alone weighs: a banner can be written by anybody. */
const ENOUGH = 3;

/**
 * The product whose traits weigh most. Two programs of equal standing (a proxy before a server, a
 * banner that lies) are `unknown`: no name is better than a wrong one.
 */
export function identify(protocol: Protocol, answers: Answers): Identity {
  const found = new Map<string, { weight: number; traits: Question[] }>();
  for (const { protocols, question, product, pattern, weight } of SIGNATURES) {
    const answer = answers.get(question);
    if (answer === undefined || !protocols.includes(protocol) || !pattern.test(answer)) continue;
    const before = found.get(product) ?? { weight: 0, traits: [] };
    found.set(product, { weight: before.weight + weight, traits: [...before.traits, question] });
  }
  const [best, second] = [...found].sort(([, a], [, b]) => b.weight - a.weight);
  if (best === undefined || best[1].weight < ENOUGH) {
    return { kind: 'unknown', why: 'no answer is peculiar to a program that is known' };
  }
  const [product, { weight, traits }] = best;
  if (second !== undefined && second[1].weight >= ENOUGH && second[1].weight * 2 > weight) {
    const names = [product, second[0]].sort().join(' and ');
    return { kind: 'unknown', why: `answers of ${names} are mixed` };
  }
  const behaves = traits.filter((trait) => trait !== 'greeting').length;
  const sure = behaves >= 2 || (behaves >= 1 && weight >= 2 * ENOUGH);
  return { kind: 'known', product, confidence: sure ? 'confirmed' : 'likely', traits };
}

/** A version number right behind a name: `Exim 4.96`, `Postfix 3.7.11`, `v3.6.1-Debian`. */
const VERSION =
  /(?:^|[\s("/[])(?:Postfix|Exim|OpenSMTPD|Sendmail|Courier(?:-IMAP|-MTA)?|Cyrus(?: IMAP| POP3| timsieved)?|Dovecot(?: Pigeonhole)?|qmail|Haraka|Postern|hMailServer|Stalwart|mox|Python SMTP(?: proxy)?|MDaemon|Zimbra|Kerio|version|ver\.?)[\s/(v:"]{1,4}(\d{1,4}(?:\.\d{1,5}){1,4}[\w.+~-]{0,24})/i;

/** The first version that a text tells; text is cut at 2,000 characters. */
export function versionIn(text: string): string | undefined {
  const cut = text.slice(0, 2_000);
  const [, named] = VERSION.exec(cut) ?? [];
  if (named !== undefined) return named;
  // ID gives pairs: "version" "2.3.19.1".
  const [, paired] = /"version" "([^"]{1,40})"/i.exec(cut) ?? [];
  return paired !== undefined && /\d/.test(paired) ? paired : undefined;
}

/** The operating system that a text names. */
export function systemIn(text: string): string | undefined {
  // The domains of projects are no systems: `bugs@openbsd.org`, `www.debian.org`.
  const [name] =
    /(?<![@.])\b(?:Debian|Ubuntu|Red ?Hat|CentOS|Rocky|AlmaLinux|Fedora|SUSE|FreeBSD|OpenBSD|NetBSD|Windows|Linux|Gentoo|Alpine)\b(?!\.(?:org|com|net)\b)/i.exec(
      text.slice(0, 2_000),
    ) ?? [];
  return name;
}
