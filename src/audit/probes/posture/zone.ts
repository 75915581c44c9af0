/** What the probes of DNS posture share: checks whose cure is a record, questions, and answers. */

import { visible } from '#base/bytes.ts';
import type { Lookup } from '#base/world.ts';
import type { Check, Severity } from '../../check.ts';
import { absent, found, type Outcome, unclear } from '../../finding.ts';

export interface ZoneWords {
  readonly means: string;
  readonly doesNotMean: string;
  readonly rfc: readonly string[];
  /** Records as they should stand, `example.org` for the domain. */
  readonly records: readonly string[];
}

/** A check about what a domain publishes. */
export function zoneCheck(id: string, severity: Severity, title: string, words: ZoneWords): Check {
  const { means, doesNotMean, rfc, records } = words;
  const cures: Check['cures'] = [{ product: 'dns', lines: records }];
  return { id: `posture.${id}`, title, severity, means, doesNotMean, rfc, cures };
}

/** Tells each check: found with its sentence where one stands, else absent with the common one. */
export function tellAll(
  tell: (outcome: Outcome) => void,
  checks: readonly Check[],
  seen: ReadonlyMap<Check, string>,
  otherwise: string,
): void {
  for (const check of checks) {
    const sentence = seen.get(check);
    tell(sentence === undefined ? absent(check, otherwise) : found(check, sentence));
  }
}

/** Tells that none of the checks could be made, as the DNS did not answer. */
export function tellUnanswered(
  tell: (outcome: Outcome) => void,
  checks: readonly Check[],
  name: string,
  reason: string,
): void {
  for (const check of checks) tell(unclear(check, `${name} could not be asked for: ${reason}`));
}

/** The records of an answer; none for `none`. Ask for `failed` first. */
export function recordsOf<T>(answer: Lookup<T>): readonly T[] {
  return answer.kind === 'found' ? answer.records : [];
}

/** A record for a sentence: printable, cut. */
export function shown(text: string, most = 120): string {
  const printable = visible(text);
  return printable.length > most ? `${printable.slice(0, most)}...` : printable;
}
