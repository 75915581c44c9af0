/** What the four check_..._access restrictions share: a table, a look-up, and what comes of it. */

import { visible } from '#base/bytes.ts';
import { after } from '#base/awaitable.ts';
import type { Awaitable } from '#base/brand.ts';
import type { AccessTable, Found } from '../access/table.ts';
import type { CheckFacts, CheckMaker, Verdict } from './check.ts';
import { DUNNO, permitted, refused } from './check.ts';

/** Looks somebody up; undefined: not on the table. */
export type LookUp = (table: AccessTable, facts: CheckFacts) => Awaitable<Found | undefined>;

/** A restriction that asks a table about what `lookUp` takes from the facts. */
export function accessCheck(name: string, needs: CheckMaker['needs'], lookUp: LookUp): CheckMaker {
  return {
    name,
    needs,
    takes: 'a table',
    make: (argument, tools) => {
      const table = tools.table(argument);
      if (typeof table === 'string') return table;
      return {
        name,
        needs,
        judge: (facts) =>
          after(lookUp(table(), facts), (found) => verdictOf(name, argument, found, facts)),
      };
    },
  };
}

function verdictOf(
  rule: string,
  table: string,
  found: Found | undefined,
  { inquiry }: CheckFacts,
): Verdict {
  if (found === undefined) return DUNNO;
  const { key, action } = found;
  const why = `${table} has "${visible(key)}"`;
  switch (action.kind) {
    case 'permit':
      return permitted(rule, why);
    case 'dunno':
      return DUNNO;
    case 'refuse': {
      const text = action.text ?? 'Access denied';
      return refused(rule, action.code, action.enhanced, text, `${why}: ${text}`);
    }
    default: {
      const said = action.text === undefined ? why : `${why}: ${action.text}`;
      inquiry.note({ kind: action.kind === 'hold' ? 'hold' : 'warning', rule, why: said });
      return DUNNO;
    }
  }
}
