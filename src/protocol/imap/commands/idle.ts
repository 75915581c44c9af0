/** IDLE (RFC 2177): news at once, until DONE; the next command may stand in the same packet. */

import { latin1 } from '#base/bytes.ts';
import { LOGGED_IN, type Command } from '../command.ts';
import { bad, ok } from '../completion.ts';
import { flush, read } from '../task.ts';
import { tellNews } from '../telling.ts';

/** Room for `DONE`; what else comes is refused, however long it is. */
const LINE_OCTETS = 1_000;

export const idle: Command<void> = {
  name: 'IDLE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse: () => undefined,
  *run(session) {
    session.out.text('+ idling\r\n');
    yield* tellNews(session, true, true);
    const want = { kind: 'line-or-news', max: LINE_OCTETS } as const;
    while (!session.ending) {
      // A client that does not read holds the news back, not in our memory.
      yield* flush();
      // News that came while nobody could be told.
      yield* tellNews(session, true);
      if (session.ending) break;
      const got = yield* read(want, session.options.idleMs);
      if (got.kind === 'news') {
        yield* tellNews(session, true);
        continue;
      }
      if (got.kind === 'line') {
        if (latin1(got.bytes).toUpperCase() === 'DONE') return ok('IDLE completed');
        throw bad('IDLE ends with DONE');
      }
      session.bye('IDLE ends with a line that says DONE');
    }
    throw bad('IDLE ended');
  },
};
