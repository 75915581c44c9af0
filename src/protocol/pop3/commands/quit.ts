/** QUIT (RFC 1939 6): the only way to the UPDATE state, where deletions become real. */

import { Failure, invariant } from '#base/failure.ts';
import type { Durable } from '#store/durable.ts';
import type { Command, Session, Task } from '../session.ts';

export const quit: Command = {
  verb: 'QUIT',
  phases: ['authorization', 'transaction'],
  run(session) {
    session.closing = true;
    if (session.phase === 'authorization') return session.ok('goodbye');
    const indexes = session.deletions();
    return indexes.length === 0 ? session.ok('goodbye') : update(session, indexes);
  },
};

function* update(session: Session, indexes: readonly number[]): Task {
  try {
    const resumed = yield { kind: 'ask', question: { kind: 'remove', indexes } };
    invariant(
      resumed.kind === 'answer' && resumed.answer.kind === 'removed',
      'removal was asked for',
    );
    sayRemoved(session, indexes.length, resumed.answer.durable);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    session.error('[SYS/TEMP] deleted messages were not removed');
  }
}

/** No +OK to a deletion without the proof that it is on disk. */
function sayRemoved(session: Session, count: number, _proof: Durable): void {
  session.ok(`goodbye, ${count} removed`);
}
