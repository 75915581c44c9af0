/** The selected mailbox as commands need it: there, writable, and up to date for UIDs. */

import { invariant } from '#base/failure.ts';
import { no } from './completion.ts';
import type { Session } from './session.ts';
import { resolveSet, type NumberSet } from './syntax/number-set.ts';
import type { Task } from './task.ts';
import { tellChanges } from './telling.ts';
import type { View } from './view.ts';

/** The view of a session in the selected state. */
export function selectedView(session: Session): View {
  const { view } = session;
  invariant(view !== undefined, 'the command is for the selected state');
  return view;
}

/** The same, for a command that changes the mailbox. */
export function writableView(session: Session): View {
  const view = selectedView(session);
  if (view.readOnly) throw no('READ-ONLY', 'The mailbox was opened with EXAMINE');
  return view;
}

/**
 * The view before a UID command. A client may know UIDs that this session was not told of (from
 * APPENDUID, COPYUID or another connection): they are told now, so that they count.
 */
export function* viewForUids(session: Session, set: NumberSet): Task<View> {
  const view = selectedView(session);
  const beyond = resolveSet(set, view.largestUid).at(-1)?.[1] ?? 0;
  if (session.dirty || beyond > view.largestUid) yield* tellChanges(session, false);
  return view;
}
