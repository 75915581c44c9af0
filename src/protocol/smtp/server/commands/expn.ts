/** EXPN (RFC 5321 4.1.1.7): not for strangers; the host may open it. */

import { type Command, say, words } from '../command.ts';
import { replies } from '../replies.ts';
import { askName } from './vrfy.ts';

export const expn: Command = {
  verb: 'EXPN',
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  check: (argument) => askName('EXPN', argument),
  proceed: (_input, _state, answer) => say(words(answer, replies.notExpanded)),
};
