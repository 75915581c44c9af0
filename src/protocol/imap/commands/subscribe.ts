/** SUBSCRIBE (RFC 3501 6.3.6): to names that exist; they may go away later. */

import { LOGGED_IN, type Command } from '../command.ts';
import { ok } from '../completion.ts';
import { readMailbox } from '../mailbox-name.ts';
import { findMailbox } from '../open.ts';
import { store } from '../task.ts';

export const subscribe: Command<string> = {
  name: 'SUBSCRIBE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    cursor.space();
    return readMailbox(cursor, session.options);
  },
  *run(session, name) {
    yield* findMailbox(session, name);
    yield* store(session, (access) => access.write('subscribe', { name, on: true }));
    return ok('SUBSCRIBE completed');
  },
};
