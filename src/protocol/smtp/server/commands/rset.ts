/** RSET (RFC 5321 4.1.1.5): the transaction is forgotten. */

import { type Command, mistake, say } from '../command.ts';
import { replies } from '../replies.ts';

export const rset: Command = {
  verb: 'RSET',
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  check({ text }, state) {
    if (text !== '') return mistake(replies.noArgument);
    state.drop();
    return say(replies.ok);
  },
};
