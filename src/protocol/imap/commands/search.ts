/** SEARCH by message number (RFC 3501 6.4.4). */

import { SELECTED, type Command } from '../command.ts';
import { readSearch, search as find, type SearchArgs } from '../search/run.ts';
import { selectedView } from '../selected.ts';

export const search: Command<SearchArgs> = {
  name: 'SEARCH',
  phases: SELECTED,
  news: 'no-expunge',
  parse: readSearch,
  *run(session, args, tag) {
    return yield* find(session, selectedView(session), args, false, tag);
  },
};
