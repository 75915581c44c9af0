/** EXAMINE (RFC 3501 6.3.2): SELECT that changes nothing. */

import { LOGGED_IN, type Command } from '../command.ts';
import { openMailbox, readOpen, type OpenArgs } from '../open.ts';

export const examine: Command<OpenArgs> = {
  name: 'EXAMINE',
  phases: LOGGED_IN,
  news: 'none',
  parse: readOpen,
  run: (session, args) => openMailbox(session, args, true),
};
