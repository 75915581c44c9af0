/** UID EXPUNGE (RFC 4315 2.1): only those of the set. */

import { SELECTED, type Command } from '../command.ts';
import { viewForUids, writableView } from '../selected.ts';
import { readNumberSet, type NumberSet } from '../syntax/number-set.ts';
import { expungeRanges } from './expunge.ts';

export const uidExpunge: Command<NumberSet> = {
  name: 'UID EXPUNGE',
  phases: SELECTED,
  news: 'if-any',
  parse(cursor, session) {
    cursor.space();
    return readNumberSet(cursor, session.options.setElements);
  },
  *run(session, set) {
    writableView(session);
    const view = yield* viewForUids(session, set);
    return yield* expungeRanges(session, view, view.rangesOfUids(set), 'UID EXPUNGE completed');
  },
};
