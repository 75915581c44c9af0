/** NAMESPACE (RFC 2342): one personal namespace, no prefix. */

import { LOGGED_IN, type Command } from '../command.ts';
import { ok } from '../completion.ts';

export const namespace: Command<void> = {
  name: 'NAMESPACE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse: () => undefined,
  run(session) {
    session.out.text('* NAMESPACE (("" "/")) NIL NIL\r\n');
    return ok('NAMESPACE completed');
  },
};
