/** HELP (RFC 5321 4.1.1.8): the same few words for everyone. */

import { type Command, say } from '../command.ts';

export const help: Command = {
  verb: 'HELP',
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  beforeTls: true,
  check(_argument, { mode }) {
    const hello = mode === 'lmtp' ? 'LHLO' : 'HELO EHLO';
    return say({
      code: 214,
      enhanced: '2.0.0',
      lines: [
        `Commands: ${hello} STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY EXPN HELP QUIT`,
        'Mail to postmaster reaches a person',
      ],
    });
  },
};
