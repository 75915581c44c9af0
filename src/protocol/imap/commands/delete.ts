/** DELETE (RFC 3501 6.3.4): not INBOX, not a mailbox that has children. */

import { LOGGED_IN, type Command } from '../command.ts';
import { no, ok } from '../completion.ts';
import { readMailbox } from '../mailbox-name.ts';
import { findMailbox, leaveMailbox } from '../open.ts';
import { store } from '../task.ts';

export const deleteMailbox: Command<string> = {
  name: 'DELETE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    cursor.space();
    return readMailbox(cursor, session.options);
  },
  *run(session, name) {
    if (name === 'INBOX') throw no('CANNOT', 'INBOX cannot be deleted');
    const mailbox = yield* findMailbox(session, name);
    const { result } = yield* store(session, (access) =>
      access.write('deleteMailbox', { mailbox }),
    );
    if (result.kind === 'is-inbox') throw no('CANNOT', 'INBOX cannot be deleted');
    if (result.kind === 'has-children') throw no('INUSE', 'The mailbox has children');
    if (result.kind === 'no-such-mailbox') throw no('NONEXISTENT', 'There is no such mailbox');
    // Our own selected mailbox: there is nothing to be told about it any more.
    if (session.view?.id === mailbox) yield* leaveMailbox(session);
    return ok('DELETE completed');
  },
};
