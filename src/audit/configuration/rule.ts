/** A rule about a configuration file: one weakness that the file itself shows. */

import type { Check, Product, Severity } from '../check.ts';

/** `V` is what a reader makes of the file. */
export interface Rule<V> {
  readonly check: Check;
  /** What is weak, or undefined. */
  judge(values: V): Weak | undefined;
  /** Checks of probes that see the same from outside. */
  readonly live?: readonly string[];
}

export interface Weak {
  /** The parameter that should change; it may be one that the file does not set. */
  readonly parameter: string;
  /** One sentence with the value that was read. */
  readonly seen: string;
  readonly severity?: Severity;
  /** Where it stands, when the reader cannot find it by the parameter. */
  readonly line?: number | undefined;
}

export interface RuleWords {
  readonly means: string;
  readonly doesNotMean: string;
  readonly rfc?: readonly string[];
  /** Lines of the product's own configuration. */
  readonly cure: readonly string[];
}

/** Makes the checks of one product: the cure is for this product alone. */
export function checksFor(product: Product) {
  return (id: string, severity: Severity, title: string, words: RuleWords): Check => {
    const { means, doesNotMean, rfc = [], cure } = words;
    const cures: Check['cures'] = [{ product, lines: cure }];
    return {
      id: `configuration.${product}-${id}`,
      title,
      severity,
      means,
      doesNotMean,
      rfc,
      cures,
    };
  };
}
