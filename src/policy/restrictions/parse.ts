/** Restriction lists as they are configured: names to checks, with errors as values. */

import { nearest } from '#base/nearest.ts';
import type { Check, CheckMaker } from '../checks/check.ts';
import * as registry from '../checks/index.ts';
import type { Tools } from '../checks/tools.ts';
import { deferring, warning } from './combine.ts';

/** The list's name in the configuration. */
export type RestrictionList =
  | 'smtpd_client_restrictions'
  | 'smtpd_helo_restrictions'
  | 'smtpd_sender_restrictions'
  | 'smtpd_recipient_restrictions'
  | 'smtpd_data_restrictions';

export type ParsedRestrictions =
  | { readonly kind: 'restrictions'; readonly checks: readonly Check[] }
  | { readonly kind: 'errors'; readonly errors: readonly RestrictionError[] };

export interface RestrictionError {
  /** The name as it was written. */
  readonly name: string;
  /** Words that follow "which". */
  readonly why: string;
  /** The name that was probably meant. */
  readonly suggestion: string | undefined;
}

const CHECKS: ReadonlyMap<string, Check | CheckMaker> = new Map(
  Object.values(registry).map((check): [string, Check | CheckMaker] => [check.name, check]),
);

/** They speak of the restrictions behind them. */
const PREFIXES = ['warn_if_reject', 'defer_if_reject'] as const;

/** Every restriction that can be named. */
export const RESTRICTION_NAMES: readonly string[] = [...CHECKS.keys(), ...PREFIXES].sort();

/** Words of one list: far more than anybody can keep in mind. */
const WORDS = 500;

/**
 * A list to checks in order. Words may stand alone or, as in Postfix, several in one text with
 * blanks or commas between them. Errors: an unknown name (with the nearest one), an argument
 * that is missing or wrong, and a check in a list that is judged before it has what it needs.
 */
export function parseRestrictions(
  texts: readonly string[],
  list: RestrictionList = 'smtpd_recipient_restrictions',
  tools: Tools = NO_TOOLS,
): ParsedRestrictions {
  const checks: Check[] = [];
  const errors: RestrictionError[] = [];
  const words = texts.flatMap(wordsOf);
  let warns = false;
  let defers = false;
  for (let at = 0; at < words.length && at < WORDS; at += 1) {
    const name = words[at] ?? '';
    if (name === 'warn_if_reject') warns = true;
    else if (name === 'defer_if_reject') defers = true;
    else {
      const known = CHECKS.get(name);
      const argument = known !== undefined && isMaker(known) && known.takes !== undefined;
      if (argument) at += 1;
      const found = known === undefined ? unknown(name) : made(known, words[at], list, tools);
      if ('why' in found) errors.push(found);
      else {
        const warned = warns ? warning(found) : found;
        checks.push(defers ? deferring(warned) : warned);
      }
      warns = false;
    }
  }
  if (warns) errors.push(alone('warn_if_reject'));
  if (words.length > WORDS)
    errors.push({ name: '', why: `is longer than ${WORDS} words`, ...NONE });
  return errors.length > 0 ? { kind: 'errors', errors } : { kind: 'restrictions', checks };
}

/** A text that says nothing is told as it stands. */
function wordsOf(text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  return words.length === 0 ? [text] : words;
}

function made(
  known: Check | CheckMaker,
  argument: string | undefined,
  list: RestrictionList,
  tools: Tools,
): Check | RestrictionError {
  const { name } = known;
  const misplaced = placeOf(known.needs, list);
  if (misplaced !== undefined) return { name, why: misplaced, ...NONE };
  if (!isMaker(known)) return known;
  if (known.takes !== undefined && (argument === undefined || CHECKS.has(argument))) {
    return { name, why: `needs ${known.takes} behind its name`, ...NONE };
  }
  const check = known.make(argument ?? '', tools);
  if (typeof check !== 'string') return check;
  const shown = known.takes === undefined ? name : `${name} ${argument}`;
  return { name: shown, why: check, ...NONE };
}

/** Why a check cannot stand in a list, if it cannot. */
function placeOf(needs: Check['needs'], list: RestrictionList): string | undefined {
  if (needs === 'recipient' && list !== 'smtpd_recipient_restrictions') {
    return 'judges the recipient: it belongs into smtpd_recipient_restrictions';
  }
  if (needs === 'message' && list !== 'smtpd_data_restrictions') {
    return 'judges the message: it belongs into smtpd_data_restrictions';
  }
  return undefined;
}

function unknown(name: string): RestrictionError {
  const suggestion = nearest(name, RESTRICTION_NAMES);
  return { name, why: 'is no restriction that is known here', suggestion };
}

function alone(name: string): RestrictionError {
  return { name, why: 'has no restriction behind it', ...NONE };
}

function isMaker(check: Check | CheckMaker): check is CheckMaker {
  return 'make' in check;
}

const NONE = { suggestion: undefined } as const;

/** For who only asks whether the names are right. */
const NO_TOOLS: Tools = { table: () => 'cannot be read here' };
