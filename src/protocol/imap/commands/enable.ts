/** ENABLE (RFC 5161): CONDSTORE is all that can be; other names are passed over. */

import { LOGGED_IN, type Command } from '../command.ts';
import { bad, ok } from '../completion.ts';
import { enableCondstore } from '../condstore.ts';

export const enable: Command<readonly string[]> = {
  name: 'ENABLE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    const names: string[] = [];
    do {
      cursor.space();
      names.push(cursor.keyword());
      if (names.length > session.options.listItems) throw bad('The list is too long');
    } while (cursor.peek() === ' ');
    return names;
  },
  run(session, names) {
    // RFC 5161 3.2: only what this command turned on.
    const fresh = names.includes('CONDSTORE') && !session.condstore;
    session.out.text(fresh ? '* ENABLED CONDSTORE\r\n' : '* ENABLED\r\n');
    if (fresh) enableCondstore(session);
    return ok('ENABLE completed');
  },
};
