/** A reader of one server's configuration file, and what all of them return. */

import type { Check, Product } from '../check.ts';
import type { Rule, Weak } from './rule.ts';

export interface ConfigurationReader {
  readonly product: Product;
  /** Whether a text is in this server's language; at most the first 64 KiB are looked at. */
  recognises(text: string): boolean;
  readonly checks: readonly Check[];
  /** What is weak, in the order of the rules; never throws on what stands in the file. */
  judge(text: string): readonly WeakLine[];
  /** Checks of probes that see the same from outside, by the id of ours. */
  readonly live: ReadonlyMap<string, readonly string[]>;
}

/** A weakness with its place in the file; `line` undefined: it comes from a default. */
export interface WeakLine extends Weak {
  readonly check: Check;
  readonly line: number | undefined;
}

/** Makes a reader of a parser and its rules. */
export function readerOf<V>(
  product: Product,
  recognises: (text: string) => boolean,
  parse: (text: string) => V,
  rules: readonly Rule<V>[],
  lineOf: (values: V, parameter: string) => number | undefined,
): ConfigurationReader {
  return {
    product,
    recognises,
    checks: rules.map(({ check }) => check),
    live: new Map(rules.map(({ check, live = [] }) => [check.id, live])),
    judge: (text) => {
      const values = parse(text);
      return rules.flatMap(({ check, judge }) => {
        const weak = judge(values);
        if (weak === undefined) return [];
        return [{ ...weak, check, line: weak.line ?? lineOf(values, weak.parameter) }];
      });
    },
  };
}
