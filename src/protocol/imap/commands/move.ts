/** MOVE by message number (RFC 6851). */

import { SELECTED, type Command } from '../command.ts';
import { writableView } from '../selected.ts';
import { readCopy, transfer, type CopyArgs } from '../transfer.ts';

export const move: Command<CopyArgs> = {
  name: 'MOVE',
  phases: SELECTED,
  news: 'if-any',
  parse: readCopy,
  *run(session, { set, to }) {
    const view = writableView(session);
    return yield* transfer(session, view, view.rangesOfNumbers(set), to, true);
  },
};
