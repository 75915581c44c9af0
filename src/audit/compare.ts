/** Two reports side by side: what is new, what is cured, what stayed, what can no longer be told. */

import { type Finding, isFound } from './finding.ts';
import type { Report } from './report.ts';
import { placeName, worstFirst } from './verdict.ts';

export interface Comparison {
  /** Found now and not before (not found, or not looked at). */
  readonly fresh: readonly Finding[];
  /** Found before, tried again now, and not there. */
  readonly cured: readonly Finding[];
  readonly unchanged: readonly Finding[];
  /** Found before; now inconclusive or not looked at: not to be taken for cured. */
  readonly untold: readonly Finding[];
}

/** `before` and `after` may be of different targets' ports; findings are matched by place and id. */
export function compareReports(before: Report, after: Report): Comparison {
  const old = new Map(before.findings.map((finding) => [keyOf(finding), finding]));
  const now = new Map(after.findings.map((finding) => [keyOf(finding), finding]));
  const wasFound = (finding: Finding): boolean => {
    const earlier = old.get(keyOf(finding));
    return earlier !== undefined && isFound(earlier);
  };
  const found = after.findings.filter(isFound).sort(worstFirst);
  const gone = before.findings.filter(isFound).sort(worstFirst);
  const today = (finding: Finding) => now.get(keyOf(finding))?.confidence;
  return {
    fresh: found.filter((finding) => !wasFound(finding)),
    unchanged: found.filter(wasFound),
    cured: gone.filter((finding) => today(finding) === 'not-observed'),
    untold: gone.filter((finding) => {
      const confidence = today(finding);
      return confidence === undefined || confidence === 'inconclusive';
    }),
  };
}

/** The key of a finding in a report; ports of a host are places of their own. */
export function keyOf({ id, target }: Pick<Finding, 'id' | 'target'>): string {
  return `${id} ${placeName(target)}`;
}
