/** Text from rules: `{name}` stands for one of the forms of that rule. */

import { fromLatin1 } from '#base/bytes.ts';
import type { Chance } from './chance.ts';

/** Each name with its forms; the first form is the one to end with when it gets too deep. */
export type Rules = Readonly<Record<string, readonly string[]>>;

const STEPS = 400;

/** Expands `start`; octets as latin1. Ends because the number of steps is limited. */
export function expand(rules: Rules, start: string, chance: Chance): Uint8Array {
  let out = '';
  let steps = 0;
  const open: string[] = [`{${start}}`];
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    const from = text.indexOf('{');
    const to = text.indexOf('}', from);
    const forms = from < 0 || to < 0 ? undefined : rules[text.slice(from + 1, to)];
    if (forms === undefined) {
      // A brace that names no rule stands for itself.
      const end = from < 0 ? text.length : from + 1;
      out += text.slice(0, end);
      if (end < text.length) open.push(text.slice(end));
      continue;
    }
    out += text.slice(0, from);
    steps += 1;
    open.push(text.slice(to + 1), steps > STEPS ? (forms[0] ?? '') : chance.pick(forms));
  }
  return fromLatin1(out);
}
