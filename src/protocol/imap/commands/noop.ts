/** NOOP (RFC 3501 6.1.2): the moment to be told everything. */

import { ANY, type Command } from '../command.ts';
import { ok } from '../completion.ts';

export const noop: Command<void> = {
  name: 'NOOP',
  phases: ANY,
  news: 'always',
  parse: () => undefined,
  run() {
    return ok('NOOP completed');
  },
};
