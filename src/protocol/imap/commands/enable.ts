/** ENABLE (RFC 5161): nothing here changes what a client gets, so the answer lists nothing. */

import { LOGGED_IN, type Command } from '../command.ts';
import { bad, ok } from '../completion.ts';

export const enable: Command<void> = {
  name: 'ENABLE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    let names = 0;
    do {
      cursor.space();
      cursor.atom();
      if (++names > session.options.listItems) throw bad('The list is too long');
    } while (cursor.peek() === ' ');
  },
  run(session) {
    session.out.text('* ENABLED\r\n');
    return ok('ENABLE completed');
  },
};
