/** What checks ask the DNS: whether a domain could get mail, and what an unclear answer means. */

import type { Address } from '#base/address.ts';
import type { Awaitable } from '#base/brand.ts';
import { isAddressLiteral } from '#base/domain.ts';
import type { CheckFacts, Verdict } from './check.ts';
import { DUNNO, refused } from './check.ts';

/** `null-mx`: the domain says that it takes no mail at all (RFC 7505). */
export type MailDomain =
  | { readonly kind: 'exists' | 'null-mx' | 'unknown' }
  | { readonly kind: 'trouble'; readonly reason: string };

/** MX, else the addresses of the name itself (RFC 5321 5.1). */
export async function mailDomain(
  name: string,
  { questions }: Pick<CheckFacts, 'questions'>,
): Promise<MailDomain> {
  const mx = await questions.mx(name);
  if (mx.kind === 'failed') return { kind: 'trouble', reason: mx.reason };
  if (mx.kind === 'found') {
    const none = mx.records.every(({ exchange }) => exchange === '' || exchange === '.');
    return { kind: none ? 'null-mx' : 'exists' };
  }
  // NXDOMAIN is about the name, whatever the type: there is no need to ask again.
  if (mx.why === 'nxdomain') return { kind: 'unknown' };
  const [a, aaaa] = await Promise.all([questions.a(name), questions.aaaa(name)]);
  if (a.kind === 'found' || aaaa.kind === 'found') return { kind: 'exists' };
  const failed = [a, aaaa].find(({ kind }) => kind === 'failed');
  return failed?.kind === 'failed'
    ? { kind: 'trouble', reason: failed.reason }
    : { kind: 'unknown' };
}

/** No answer is no reason to refuse for good: the client comes again. */
export function troubled(rule: string, what: string, name: string, reason: string): Verdict {
  const why = `the DNS gave no answer about ${name}: ${reason}`;
  return refused(rule, 450, '4.4.3', `${what}: the DNS gives no answer, try again later`, why);
}

/** How the two checks of a domain differ: the words, and the codes for each kind of it. */
export interface DomainRule {
  readonly rule: string;
  /** `Sender address rejected`. */
  readonly rejected: string;
  readonly nullMx: readonly [code: number, enhanced: string];
  readonly unknown: readonly [code: number, enhanced: string];
}

/** Refuses an address whose domain gets no mail; our own domains are never asked for. */
export function judgeDomain(
  { domain }: Pick<Address, 'domain'>,
  facts: CheckFacts,
  { rule, rejected, nullMx, unknown }: DomainRule,
): Awaitable<Verdict> {
  if (isAddressLiteral(domain) || facts.directory.domain(domain) !== undefined) return DUNNO;
  return mailDomain(domain, facts).then((found) => {
    switch (found.kind) {
      case 'exists':
        return DUNNO;
      case 'trouble':
        return troubled(rule, rejected, domain, found.reason);
      case 'null-mx': {
        const text = `${rejected}: its domain takes no mail`;
        return refused(rule, ...nullMx, text, `${domain} has a null MX`);
      }
      case 'unknown': {
        const text = `${rejected}: domain not found`;
        return refused(rule, ...unknown, text, `${domain} has neither MX nor address`);
      }
    }
  });
}
