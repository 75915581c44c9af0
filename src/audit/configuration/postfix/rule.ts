/** A rule about main.cf: one weakness that the file itself shows. */

import type { Check, Severity } from '../../check.ts';
import type { Values } from './values.ts';

export interface Rule {
  readonly check: Check;
  /** What is weak, or undefined. */
  judge(values: Values): Weak | undefined;
}

export interface Weak {
  /** The parameter that should change; it may be one that the file does not set. */
  readonly parameter: string;
  /** One sentence with the value that was read. */
  readonly seen: string;
  readonly severity?: Severity;
}

/** The parts of a check that differ between rules; the cure is for Postfix alone. */
export function check(
  id: string,
  severity: Severity,
  title: string,
  words: { means: string; doesNotMean: string; rfc?: readonly string[]; cure: readonly string[] },
): Check {
  const { means, doesNotMean, rfc = [], cure } = words;
  const cures: Check['cures'] = [{ product: 'postfix', lines: cure }];
  return { id: `configuration.postfix-${id}`, title, severity, means, doesNotMean, rfc, cures };
}

/** A switch that is off (or on) where it should be the other way. */
export function whenSwitch(parameter: string, weak: boolean): Rule['judge'] {
  const word = weak ? 'yes' : 'no';
  return (values) =>
    values.yes(parameter) === weak
      ? {
          parameter,
          seen: `${parameter} is ${word}${values.given(parameter) ? '' : ' by default'}`,
        }
      : undefined;
}
