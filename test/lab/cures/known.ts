/** Every cure that the auditor prints, each once for a product, with the checks that print it. */

import type { Check, Cure, Product } from '#audit/check.ts';
import { CONFIGURATION_CHECKS } from '#audit/configuration/findings.ts';
import { checksOf, PROBES } from '#audit/probes/all.ts';

export interface KnownCure extends Cure {
  readonly checks: readonly string[];
}

export const CHECKS: readonly Check[] = [...checksOf(PROBES), ...CONFIGURATION_CHECKS];

/** In the order of the checks. */
export function knownCures(product: Product): readonly KnownCure[] {
  const all = new Map<string, { lines: readonly string[]; checks: string[] }>();
  for (const check of CHECKS) {
    for (const cure of check.cures.filter((one) => one.product === product)) {
      const key = cure.lines.join('\n');
      const known = all.get(key) ?? { lines: cure.lines, checks: [] };
      known.checks.push(check.id);
      all.set(key, known);
    }
  }
  return [...all.values()].map((one) => ({ product, ...one }));
}
