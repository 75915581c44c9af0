/** BDAT (RFC 3030 2): a run of content; its octets come whatever we answer. */

import type { Reply } from '../../reply.ts';
import { type Argument, type Command, type Outcome } from '../command.ts';
import { ChunkContent } from '../content.ts';
import { replies } from '../replies.ts';
import type { Transaction } from '../session.ts';

/** Digits that a size may have: more would not be exact, and nobody sends them. */
const SIZE = /^(\d{1,17})(?: +(\S.*))?$/;

interface Chunk {
  readonly octets: number;
  readonly last: boolean;
}

export const bdat: Command<Chunk> = {
  verb: 'BDAT',
  phases: ['mail', 'rcpt', 'chunks'],
  check(argument, state) {
    const chunk = readChunk(argument.text);
    if (chunk === undefined) return discarding(argument, replies.bdatSyntax);
    const { transaction, settings } = state;
    if (settings.withheld.includes('CHUNKING')) return discarding(argument, replies.unknownCommand);
    if (transaction === undefined) return discarding(argument, replies.mailFirst);
    if (transaction.recipients.length === 0) {
      return discarding(argument, noRecipients(transaction));
    }
    if (state.phase === 'chunks') {
      const { octets, last } = chunk;
      return { kind: 'content', content: new ChunkContent(octets, last, transaction.check) };
    }
    return { kind: 'ask', question: { kind: 'data' }, input: chunk };
  },
  proceed({ octets, last }, state) {
    state.phase = 'chunks';
    const check = state.transaction?.check;
    return { kind: 'content', content: new ChunkContent(octets, last, check) };
  },
  refused: (argument, refusal) => discarding(argument, refusal),
};

/** RFC 5321 3.3: 503 when there was no RCPT, 554 when none was accepted. */
export function noRecipients(transaction: Transaction): Reply {
  return transaction.refusedRecipients > 0 ? replies.noRecipients : replies.rcptFirst;
}

function readChunk(text: string): Chunk | undefined {
  const [, digits, word] = SIZE.exec(text) ?? [];
  if (digits === undefined) return undefined;
  if (word !== undefined && !/^last$/i.test(word)) return undefined;
  return { octets: Number(digits), last: word !== undefined };
}

/**
 * The refusal, after the announced octets: they must never be read as commands. When their
 * number cannot be read, only closing prevents that.
 */
function discarding(argument: Argument, refusal: Reply): Outcome<Chunk> {
  const [, digits] = SIZE.exec(argument.text) ?? [];
  if (digits === undefined) {
    return { kind: 'say', reply: replies.bdatUnreadable, close: true, mistake: true };
  }
  const content = new ChunkContent(Number(digits), false, undefined);
  return { kind: 'content', content, refusal, mistake: true };
}
