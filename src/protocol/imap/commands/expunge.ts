/** EXPUNGE (RFC 3501 6.4.3). */

import type { UidRanges } from '#store/mail.ts';
import { SELECTED, type Command } from '../command.ts';
import { no, ok, type Completion } from '../completion.ts';
import { writableView } from '../selected.ts';
import type { Session } from '../session.ts';
import { store, type Task } from '../task.ts';
import { tellExpunged } from '../telling.ts';
import type { View } from '../view.ts';

export const expunge: Command<void> = {
  name: 'EXPUNGE',
  phases: SELECTED,
  news: 'if-any',
  parse: () => undefined,
  *run(session) {
    const view = writableView(session);
    const all = view.exists === 0 ? [] : view.rangesOfNumbers([[1, view.exists]]);
    return yield* expungeRanges(session, view, all, 'EXPUNGE completed');
  },
};

/** Expunges what is \Deleted in `ranges` (only what this client knows of), and tells it. */
export function* expungeRanges(
  session: Session,
  view: View,
  uids: UidRanges,
  text: string,
): Task<Completion> {
  if (uids.length === 0) return ok(text);
  const { result } = yield* store(session, (access) =>
    access.write('expunge', { mailbox: view.id, uids, onlyDeleted: true }),
  );
  if (result.kind === 'no-such-mailbox') throw no('NONEXISTENT', 'The mailbox was deleted');
  view.expunged(result.uids);
  tellExpunged(session);
  return ok(text);
}
