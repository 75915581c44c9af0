/** UID MOVE (RFC 6851). */

import { SELECTED, type Command } from '../command.ts';
import { viewForUids, writableView } from '../selected.ts';
import { readCopy, transfer, type CopyArgs } from '../transfer.ts';

export const uidMove: Command<CopyArgs> = {
  name: 'UID MOVE',
  phases: SELECTED,
  news: 'if-any',
  parse: readCopy,
  *run(session, { set, to }) {
    writableView(session);
    const view = yield* viewForUids(session, set);
    return yield* transfer(session, view, view.rangesOfUids(set), to, true);
  },
};
