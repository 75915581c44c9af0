/** RENAME (RFC 3501 6.3.5): children go along; renaming INBOX empties it. */

import { LOGGED_IN, type Command } from '../command.ts';
import { no, ok } from '../completion.ts';
import { readMailbox, readNewMailbox } from '../mailbox-name.ts';
import { findMailbox } from '../open.ts';
import { store } from '../task.ts';

export const rename: Command<{ readonly from: string; readonly to: string }> = {
  name: 'RENAME',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    cursor.space();
    const from = readMailbox(cursor, session.options);
    cursor.space();
    return { from, to: readNewMailbox(cursor, session.options) };
  },
  *run(session, { from, to }) {
    if (to === 'INBOX') throw no('ALREADYEXISTS', 'INBOX is always there');
    const mailbox = yield* findMailbox(session, from);
    const { result } = yield* store(session, (access) =>
      access.write('renameMailbox', { mailbox, to }),
    );
    if (result.kind === 'exists') throw no('ALREADYEXISTS', 'There is such a mailbox');
    if (result.kind === 'into-itself') {
      throw no('CANNOT', 'A mailbox cannot become its own child');
    }
    if (result.kind === 'no-such-mailbox') throw no('NONEXISTENT', 'There is no such mailbox');
    return ok('RENAME completed');
  },
};
