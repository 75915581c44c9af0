/** RETR (RFC 1939 5): a whole message. */

import { messageIndex, wordsOf } from '../arguments.ts';
import { retrieve } from '../retrieval.ts';
import type { Command } from '../session.ts';

export const retr: Command = {
  verb: 'RETR',
  phases: ['transaction'],
  run(session, argument) {
    const [word, more] = wordsOf(argument);
    if (word === undefined || more !== undefined) return session.error('RETR needs one number');
    const index = messageIndex(session, word);
    if (index !== undefined) return retrieve(session, index, Infinity);
  },
};
