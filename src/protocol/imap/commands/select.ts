/** SELECT (RFC 3501 6.3.1). */

import { LOGGED_IN, type Command } from '../command.ts';
import { openMailbox, readOpen, type OpenArgs } from '../open.ts';

export const select: Command<OpenArgs> = {
  name: 'SELECT',
  phases: LOGGED_IN,
  news: 'none',
  parse: readOpen,
  run: (session, args) => openMailbox(session, args, false),
};
