/** QUIT (RFC 5321 4.1.1.10): the end, said and done. */

import { type Command, mistake } from '../command.ts';
import { replies } from '../replies.ts';

export const quit: Command = {
  verb: 'QUIT',
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  beforeTls: true,
  check: ({ text }) =>
    text === ''
      ? { kind: 'say', reply: replies.closing, close: 'parted' }
      : mistake(replies.noArgument),
};
