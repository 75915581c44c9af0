/** The DNS tree walk of DMARC (RFC 9989 4.10): from a domain to its organizational domain. */

import { isQueryName, labelCount, lastLabels, parentName } from '#trust/names.ts';
import type { Questions } from '#trust/questions.ts';
import { type DmarcRecord, isDmarcRecord, parseDmarcRecord } from './record.ts';

/** A record and the domain that published it. */
export interface Found {
  readonly domain: string;
  readonly record: DmarcRecord;
}

export interface NoAnswer {
  readonly kind: 'failed';
  /** Whose record was asked for, and what the resolver said. */
  readonly domain: string;
  readonly reason: string;
}

export type Walk = { readonly kind: 'walked'; readonly found: readonly Found[] } | NoAnswer;

/** RFC 9989 4.10: longer names are cut to seven labels after the first question. */
const LONG = 8;

/**
 * Asks for the record of a domain and of those above it, at most eight questions, until one says
 * what it is (`psd=y`, `psd=n`) or the root is reached. A question without answer ends it.
 */
export async function walkTree(questions: Questions, start: string): Promise<Walk> {
  const found: Found[] = [];
  let domain: string | undefined = start;
  while (domain !== undefined) {
    const answer = await recordOf(questions, domain);
    if (answer?.kind === 'failed') return answer;
    if (answer !== undefined) {
      found.push({ domain, record: answer.record });
      if (answer.record.publicSuffix !== 'u') break;
    }
    domain = labelCount(domain) >= LONG ? lastLabels(domain, LONG - 1) : parentName(domain);
  }
  return { kind: 'walked', found };
}

/** The one DMARC record of a domain; undefined if there is none, or more than one. */
export async function recordOf(
  questions: Questions,
  domain: string,
): Promise<{ readonly kind: 'found'; readonly record: DmarcRecord } | NoAnswer | undefined> {
  const name = `_dmarc.${domain}`;
  if (!isQueryName(name)) return undefined;
  const answer = await questions.txt(name);
  if (answer.kind === 'failed') return { kind: 'failed', domain, reason: answer.reason };
  const texts = answer.kind === 'found' ? answer.records.filter(isDmarcRecord) : [];
  const [text] = texts;
  if (text === undefined || texts.length > 1) return undefined;
  return { kind: 'found', record: parseDmarcRecord(text) };
}

/**
 * The organizational domain that a walk from `start` leads to (RFC 9989 4.10.2): where `psd=n`
 * stands; one label below `psd=y`; else the highest domain with a record; else `start` itself.
 * A top-level domain counts as `psd=y` unless it says `psd=n`: a record that somebody put there
 * without the tag must not make one organization of all that is below it.
 */
export function organizationalDomain(start: string, found: readonly Found[]): string {
  const own = found.find(({ record }) => record.publicSuffix === 'n');
  if (own !== undefined) return own.domain;
  const suffix = publicSuffix(found);
  if (suffix !== undefined) return lastLabels(start, labelCount(suffix.domain) + 1);
  return found.at(-1)?.domain ?? start;
}

/** The public suffix that a walk met, with its record; it may be the domain where it began. */
export function publicSuffix(found: readonly Found[]): Found | undefined {
  return found.find(
    ({ domain, record }) =>
      record.publicSuffix === 'y' || (record.publicSuffix === 'u' && !domain.includes('.')),
  );
}
