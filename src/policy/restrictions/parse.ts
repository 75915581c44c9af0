/** Restriction lists as they are configured: names to checks, with errors as values. */

import type { Check } from '../checks/check.ts';
import * as registry from '../checks/index.ts';
import { nearest } from '#base/nearest.ts';

/** The list's name in the configuration. */
export type RestrictionList =
  | 'smtpd_helo_restrictions'
  | 'smtpd_sender_restrictions'
  | 'smtpd_recipient_restrictions';

export type ParsedRestrictions =
  | { readonly kind: 'restrictions'; readonly checks: readonly Check[] }
  | { readonly kind: 'errors'; readonly errors: readonly RestrictionError[] };

export interface RestrictionError {
  /** The name as it was written. */
  readonly name: string;
  readonly why: string;
  /** The name that was probably meant. */
  readonly suggestion: string | undefined;
}

const CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.values(registry).map((check) => [check.name, check]),
);

/** Every restriction that can be named. */
export const RESTRICTION_NAMES: readonly string[] = [...CHECKS.keys()].sort();

/**
 * Names in order to checks in order. Errors: an unknown name (with the nearest one), and a
 * check about the recipient in a list that is judged before there is one.
 */
export function parseRestrictions(
  names: readonly string[],
  list: RestrictionList = 'smtpd_recipient_restrictions',
): ParsedRestrictions {
  const checks: Check[] = [];
  const errors: RestrictionError[] = [];
  for (const name of names) {
    const check = CHECKS.get(name);
    if (check === undefined) {
      const suggestion = nearest(name, RESTRICTION_NAMES);
      errors.push({ name, why: 'is no restriction that is known here', suggestion });
    } else if (check.needs === 'recipient' && list !== 'smtpd_recipient_restrictions') {
      const why = 'judges the recipient: it belongs into smtpd_recipient_restrictions';
      errors.push({ name, why, suggestion: undefined });
    } else {
      checks.push(check);
    }
  }
  return errors.length > 0 ? { kind: 'errors', errors } : { kind: 'restrictions', checks };
}
