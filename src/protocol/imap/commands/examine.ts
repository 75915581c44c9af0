/** EXAMINE (RFC 3501 6.3.2): SELECT that changes nothing. */

import { LOGGED_IN, type Command } from '../command.ts';
import { readMailbox } from '../mailbox-name.ts';
import { openMailbox } from '../open.ts';

export const examine: Command<string> = {
  name: 'EXAMINE',
  phases: LOGGED_IN,
  news: 'none',
  parse(cursor, session) {
    cursor.space();
    return readMailbox(cursor, session.options);
  },
  run: (session, name) => openMailbox(session, name, true),
};
