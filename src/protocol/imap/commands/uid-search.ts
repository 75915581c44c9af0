/** UID SEARCH (RFC 3501 6.4.8). */

import { SELECTED, type Command } from '../command.ts';
import { readSearch, search, type SearchArgs } from '../search/run.ts';
import { selectedView } from '../selected.ts';
import { tellChanges } from '../telling.ts';

export const uidSearch: Command<SearchArgs> = {
  name: 'UID SEARCH',
  phases: SELECTED,
  news: 'if-any',
  parse: readSearch,
  *run(session, args, tag) {
    const view = selectedView(session);
    // What has arrived meanwhile is told, then found.
    if (session.dirty) yield* tellChanges(session, false);
    return yield* search(session, view, args, true, tag);
  },
};
