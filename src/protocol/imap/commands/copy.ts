/** COPY by message number (RFC 3501 6.4.7). */

import { SELECTED, type Command } from '../command.ts';
import { readCopy, transfer, type CopyArgs } from '../transfer.ts';
import { selectedView } from '../selected.ts';

export const copy: Command<CopyArgs> = {
  name: 'COPY',
  phases: SELECTED,
  news: 'if-any',
  parse: readCopy,
  *run(session, { set, to }) {
    const view = selectedView(session);
    return yield* transfer(session, view, view.rangesOfNumbers(set), to, false);
  },
};
