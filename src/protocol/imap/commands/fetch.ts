/** FETCH by message number (RFC 3501 6.4.5). */

import { SELECTED, type Command } from '../command.ts';
import { ok } from '../completion.ts';
import { readItems, type Item } from '../fetch/items.ts';
import { respond } from '../fetch/respond.ts';
import { selectedView } from '../selected.ts';
import { readNumberSet, type NumberSet } from '../syntax/number-set.ts';

export const fetch: Command<{ readonly set: NumberSet; readonly items: readonly Item[] }> = {
  name: 'FETCH',
  phases: SELECTED,
  news: 'no-expunge',
  parse(cursor, session) {
    cursor.space();
    const set = readNumberSet(cursor, session.options.setElements);
    cursor.space();
    return { set, items: readItems(cursor, session.options) };
  },
  *run(session, { set, items }) {
    const view = selectedView(session);
    const ranges = view.rangesOfNumbers(set);
    yield* respond(session, view, ranges, items);
    return ok('FETCH completed');
  },
};
