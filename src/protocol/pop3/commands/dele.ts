/** DELE (RFC 1939 5): marks a message; only QUIT removes it. */

import { messageIndex, wordsOf } from '../arguments.ts';
import type { Command } from '../session.ts';

export const dele: Command = {
  verb: 'DELE',
  phases: ['transaction'],
  run(session, argument) {
    const [word, more] = wordsOf(argument);
    if (word === undefined || more !== undefined) return session.error('DELE needs one number');
    const index = messageIndex(session, word);
    if (index === undefined) return;
    session.delete(index);
    session.ok(`message ${index + 1} deleted`);
  },
};
