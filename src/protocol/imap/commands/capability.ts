/** CAPABILITY (RFC 3501 6.1.1). */

import { capabilities } from '../capabilities.ts';
import { ANY, type Command } from '../command.ts';
import { ok } from '../completion.ts';

export const capability: Command<void> = {
  name: 'CAPABILITY',
  phases: ANY,
  news: 'if-any',
  parse: () => undefined,
  run(session) {
    session.out.text(`* CAPABILITY ${capabilities(session)}\r\n`);
    return ok('CAPABILITY completed');
  },
};
