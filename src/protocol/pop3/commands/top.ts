/** TOP (RFC 1939 7): the head of a message and so many lines of its body. */

import { messageIndex, parseCount, wordsOf } from '../arguments.ts';
import { retrieve } from '../retrieval.ts';
import type { Command } from '../session.ts';

export const top: Command = {
  verb: 'TOP',
  phases: ['transaction'],
  run(session, argument) {
    const [word, count, more] = wordsOf(argument);
    const lines = count === undefined ? undefined : parseCount(count);
    if (word === undefined || lines === undefined || more !== undefined) {
      return session.error('TOP needs a message number and a number of lines');
    }
    const index = messageIndex(session, word);
    if (index !== undefined) return retrieve(session, index, lines);
  },
};
