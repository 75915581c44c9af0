/** What COPY, MOVE and their UID forms share (RFC 3501 6.4.7, RFC 4315, RFC 6851). */

import type { UidRanges } from '#store/mail.ts';
import { no, ok, type Completion } from './completion.ts';
import { readMailbox } from './mailbox-name.ts';
import { findTarget } from './open.ts';
import type { Session } from './session.ts';
import type { Cursor } from './syntax/cursor.ts';
import { formatSet, readNumberSet, type NumberSet } from './syntax/number-set.ts';
import { store, type Task } from './task.ts';
import { tellExpunged } from './telling.ts';
import type { View } from './view.ts';

export interface CopyArgs {
  readonly set: NumberSet;
  readonly to: string;
}

export function readCopy(cursor: Cursor, session: Session): CopyArgs {
  cursor.space();
  const set = readNumberSet(cursor, session.options.setElements);
  cursor.space();
  return { set, to: readMailbox(cursor, session.options) };
}

/** Copies or moves all of `ranges` in one commit; what was expunged elsewhere is left out. */
export function* transfer(
  session: Session,
  view: View,
  ranges: UidRanges,
  name: string,
  move: boolean,
): Task<Completion> {
  const verb = move ? 'MOVE' : 'COPY';
  const to = yield* findTarget(session, name);
  if (ranges.length === 0) return ok(`${verb} completed: no such message`);
  const { result } = yield* store(session, (access) =>
    access.write('copy', { from: view.id, uids: ranges, to, move }),
  );
  if (result.kind === 'no-such-mailbox') throw no('TRYCREATE', 'There is no such mailbox');
  const { pairs, uidValidity } = result;
  // Copies into the selected mailbox are told at once.
  if (to === view.id) session.dirty = true;
  if (pairs.length === 0) throw no('EXPUNGEISSUED', 'The messages were expunged');
  const sources = pairs.map(([source]) => source);
  const copies = formatSet(pairs.map(([, copy]) => copy));
  const code = `COPYUID ${uidValidity} ${formatSet(sources)} ${copies}`;
  if (!move) return ok('COPY completed', code);
  // RFC 6851 4.3: COPYUID comes before the EXPUNGEs that it explains.
  session.out.text(`* OK [${code}] Moved\r\n`);
  view.expunged(sources);
  tellExpunged(session);
  return ok('MOVE completed');
}
