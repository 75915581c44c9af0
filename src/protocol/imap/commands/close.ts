/** CLOSE (RFC 3501 6.4.2): expunges what is \Deleted, tells nothing, leaves the mailbox. */

import { SELECTED, type Command } from '../command.ts';
import { ok } from '../completion.ts';
import { leaveMailbox } from '../open.ts';
import { store } from '../task.ts';

export const close: Command<void> = {
  name: 'CLOSE',
  phases: SELECTED,
  news: 'none',
  parse: () => undefined,
  *run(session) {
    const { view } = session;
    if (view !== undefined && !view.readOnly && view.exists > 0) {
      // Only what this client knows of: a message that came since may be \Deleted by another.
      const uids = view.rangesOfNumbers([[1, view.exists]]);
      const there = yield* store(session, (access) => access.mailboxById(view.id));
      if (there !== undefined) {
        yield* store(session, (access) =>
          access.write('expunge', { mailbox: view.id, uids, onlyDeleted: true }),
        );
      }
    }
    yield* leaveMailbox(session);
    return ok('CLOSE completed');
  },
};
