/** UNSUBSCRIBE (RFC 3501 6.3.7): from any name, whether it exists or not. */

import { LOGGED_IN, type Command } from '../command.ts';
import { ok } from '../completion.ts';
import { readMailbox } from '../mailbox-name.ts';
import { store } from '../task.ts';

export const unsubscribe: Command<string> = {
  name: 'UNSUBSCRIBE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    cursor.space();
    return readMailbox(cursor, session.options);
  },
  *run(session, name) {
    yield* store(session, (access) => access.write('subscribe', { name, on: false }));
    return ok('UNSUBSCRIBE completed');
  },
};
