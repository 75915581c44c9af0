/** NOOP (RFC 5321 4.1.1.9): nothing; an argument is let through. */

import { type Command, say } from '../command.ts';
import { replies } from '../replies.ts';

export const noop: Command = {
  verb: 'NOOP',
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  beforeTls: true,
  check: () => say(replies.ok),
};
