/** All rules over one main.cf. */

import type { Check } from '../../check.ts';
import type { MainCf } from './main-cf.ts';
import type { Weak } from './rule.ts';
import * as registry from './rules/index.ts';
import { valuesOf } from './values.ts';

/** A weakness with its place in the file; `line` undefined: it comes from a default. */
export interface WeakLine extends Weak {
  readonly check: Check;
  readonly line: number | undefined;
}

/** Every check of the rules, for the list of checks. */
export const POSTFIX_CHECKS: readonly Check[] = Object.values(registry).map(({ check }) => check);

/** What is weak in the file as it stands, in the order of the rules. Never throws. */
export function judgeMainCf(file: MainCf): WeakLine[] {
  const values = valuesOf(file);
  return Object.values(registry).flatMap(({ check, judge }) => {
    const weak = judge(values);
    if (weak === undefined) return [];
    return [{ ...weak, check, line: file.parameters.get(weak.parameter)?.line }];
  });
}
