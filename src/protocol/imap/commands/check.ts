/** CHECK (RFC 3501 6.4.1): everything is on disk already; it tells news like NOOP. */

import { SELECTED, type Command } from '../command.ts';
import { ok } from '../completion.ts';

export const check: Command<void> = {
  name: 'CHECK',
  phases: SELECTED,
  news: 'always',
  parse: () => undefined,
  run() {
    return ok('CHECK completed');
  },
};
