/** VRFY (RFC 5321 4.1.1.6): the same answer for every name, unless the host knows better. */

import { type Argument, type Command, type Outcome, mistake, say, words } from '../command.ts';
import { replies } from '../replies.ts';

export const vrfy: Command = {
  verb: 'VRFY',
  phases: ['start', 'ready', 'mail', 'rcpt', 'chunks'],
  check: (argument) => askName('VRFY', argument),
  proceed: (_input, _state, answer) => say(words(answer, replies.notVerified)),
};

/** RFC 6531 3.7.4.2: `SMTPUTF8` may follow the name. */
export function askName(command: 'VRFY' | 'EXPN', argument: Argument): Outcome {
  const text = argument.text.replace(/ +SMTPUTF8$/i, '');
  if (text === '') return mistake(replies.argumentMissing);
  if (!argument.wellFormed || /\p{Cc}/u.test(text)) return mistake(replies.badCharacters);
  return { kind: 'ask', question: { kind: 'verify', command, text }, input: undefined };
}
