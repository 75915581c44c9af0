/** LOGOUT (RFC 3501 6.1.3). */

import { ANY, type Command } from '../command.ts';
import { ok } from '../completion.ts';

export const logout: Command<void> = {
  name: 'LOGOUT',
  phases: ANY,
  news: 'none',
  parse: () => undefined,
  run(session) {
    session.bye('Logging out');
    return ok('LOGOUT completed');
  },
};
