/** UID COPY (RFC 3501 6.4.8). */

import { SELECTED, type Command } from '../command.ts';
import { viewForUids } from '../selected.ts';
import { readCopy, transfer, type CopyArgs } from '../transfer.ts';

export const uidCopy: Command<CopyArgs> = {
  name: 'UID COPY',
  phases: SELECTED,
  news: 'if-any',
  parse: readCopy,
  *run(session, { set, to }) {
    const view = yield* viewForUids(session, set);
    return yield* transfer(session, view, view.rangesOfUids(set), to, false);
  },
};
