/** What checks ask the DNS: whether a domain could get mail, and what an unclear answer means. */

import type { CheckFacts, Verdict } from './check.ts';
import { refused } from './check.ts';

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
