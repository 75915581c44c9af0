/** check_host() of SPF (RFC 7208 4): may this client send mail for this domain? */

import { type ReversePath, formatAddress } from '#base/address.ts';
import { visible } from '#base/bytes.ts';
import type { Clock } from '#base/world.ts';
import { parseIp } from '#base/ip.ts';
import { asciiName, isQueryName, plainName } from '#trust/names.ts';
import { type Asked, Questions } from '#trust/questions.ts';
import { Evaluation } from './evaluation.ts';
import type { SpfLimits, SpfOutcome, SpfResult } from './outcome.ts';

export interface SpfQuestion {
  /** The client's address; IPv4-mapped IPv6 counts as IPv4. */
  readonly ip: string;
  /** Whose record is asked for: the domain of MAIL FROM, or the name of HELO. */
  readonly domain: string;
  /** The whole MAIL FROM address without brackets; for HELO, or `<>`, nothing before the `@`. */
  readonly sender: string;
  /** What the client said in HELO or EHLO. */
  readonly helo: string;
  readonly resolver: Asked;
  /** For the deadline and for `%{t}`; without it there is neither. */
  readonly clock?: Clock | undefined;
  /** Our own name, for `%{r}`. Default `unknown`. */
  readonly receiver?: string;
  readonly limits?: SpfLimits;
}

const WHY_CHARACTERS = 200;
const QUESTIONS = 30;

/**
 * Evaluates SPF. Never fails: whatever is wrong is `temperror` (DNS) or `permerror` (record). A
 * client address that is none is `none`: there is nothing to compare.
 */
export async function checkHost(question: SpfQuestion): Promise<SpfOutcome> {
  const { resolver, clock, limits = {} } = question;
  const { totalMs, questions: maxQuestions = QUESTIONS } = limits;
  const questions = new Questions({ resolver, clock, totalMs, maxQuestions });
  const domain = plainName(asciiName(question.domain));
  const outcome = (result: SpfResult, mechanism: string, why: string, explanation?: string) => ({
    result,
    domain: visible(domain, WHY_CHARACTERS),
    mechanism: visible(mechanism, WHY_CHARACTERS),
    why: visible(why, WHY_CHARACTERS),
    ...(explanation === undefined ? {} : { explanation }),
    lookups: questions.facts,
  });
  const ip = parseIp(question.ip);
  if (ip === undefined) return outcome('none', 'default', 'the client has no IP address');
  if (!isCheckable(domain)) return outcome('none', 'default', 'no domain that could be asked for');
  const at = question.sender.lastIndexOf('@');
  const local = question.sender.slice(0, Math.max(at, 0));
  const evaluation = new Evaluation(questions, limits, {
    ip,
    // RFC 7208 4.3: without a local part it is postmaster.
    local: local === '' ? 'postmaster' : local,
    senderDomain: asciiName(question.sender.slice(at + 1)) || domain,
    helo: asciiName(question.helo),
    receiver: question.receiver ?? 'unknown',
    seconds: clock === undefined ? 0 : Math.floor(clock.now() / 1000),
  });
  const verdict = await evaluation.check(domain);
  const explanation = await evaluation.explain(verdict);
  return outcome(verdict.result, verdict.mechanism, verdict.why, explanation);
}

/** Which identity of a mail transaction is checked: MAIL FROM, for `<>` HELO (RFC 7208 2.4). */
export function spfIdentity(
  path: ReversePath,
  helo: string,
): Pick<SpfQuestion, 'domain' | 'sender'> & { readonly identity: 'mailfrom' | 'helo' } {
  if (path === null) return { identity: 'helo', domain: helo, sender: `postmaster@${helo}` };
  return { identity: 'mailfrom', domain: path.domain, sender: formatAddress(path) };
}

/** RFC 7208 4.3: well-formed, of more than one label; an address literal is no domain. */
function isCheckable(domain: string): boolean {
  return isQueryName(domain) && domain.includes('.') && !/[[\]\s]/.test(domain);
}
