/** UNSELECT (RFC 3691): leaves the mailbox, expunges nothing. */

import { SELECTED, type Command } from '../command.ts';
import { ok } from '../completion.ts';
import { leaveMailbox } from '../open.ts';

export const unselect: Command<void> = {
  name: 'UNSELECT',
  phases: SELECTED,
  news: 'none',
  parse: () => undefined,
  *run(session) {
    yield* leaveMailbox(session);
    return ok('UNSELECT completed');
  },
};
