/** Opening and leaving a mailbox (RFC 3501 6.3.1, 6.3.2, 6.4.2). */

import type { MailboxId } from '#base/brand.ts';
import { bad, no, ok, type Completion } from './completion.ts';
import { enableCondstore, formatHighest } from './condstore.ts';
import { readMailbox } from './mailbox-name.ts';
import type { Session } from './session.ts';
import type { Cursor } from './syntax/cursor.ts';
import { SYSTEM_FLAGS } from './syntax/flags.ts';
import { store, type Task } from './task.ts';
import { View } from './view.ts';

/** Messages looked at for `[UNSEEN n]`: further down it is left out, which is permitted. */
const UNSEEN_ROWS = 500;

/** The mailbox of that name; NO [NONEXISTENT] when there is none. */
export function* findMailbox(session: Session, name: string): Task<MailboxId> {
  const mailbox = yield* store(session, (access) => access.mailbox(name));
  if (mailbox === undefined) throw no('NONEXISTENT', 'There is no such mailbox');
  return mailbox.id;
}

/** Where messages shall go; NO [TRYCREATE] when it is not there (RFC 3501 6.3.11, 6.4.7). */
export function* findTarget(session: Session, name: string): Task<MailboxId> {
  const mailbox = yield* store(session, (access) => access.mailbox(name));
  if (mailbox === undefined) throw no('TRYCREATE', 'There is no such mailbox');
  return mailbox.id;
}

export interface OpenArgs {
  readonly name: string;
  readonly condstore: boolean;
}

/** ` name [(CONDSTORE)]` (RFC 7162 3.1.8). */
export function readOpen(cursor: Cursor, session: Session): OpenArgs {
  cursor.space();
  const name = readMailbox(cursor, session.options);
  if (!cursor.tryTake(' ')) return { name, condstore: false };
  const read = (): void => {
    if (cursor.keyword() !== 'CONDSTORE') throw bad('CONDSTORE is the only parameter');
  };
  cursor.list(read, session.options.listItems, 1);
  return { name, condstore: true };
}

/** A failing SELECT leaves no mailbox selected (RFC 3501 6.3.1). */
export function* openMailbox(
  session: Session,
  { name, condstore }: OpenArgs,
  readOnly: boolean,
): Task<Completion> {
  if (session.view !== undefined) yield* leaveMailbox(session);
  if (condstore) enableCondstore(session);
  const id = yield* findMailbox(session, name);
  // Watched before it is read: a change in between is seen twice rather than never.
  session.dirty = false;
  const found = yield* store(session, (access) => {
    access.watch(id);
    return access.uids(id);
  });
  if (found === undefined) {
    yield* leaveMailbox(session);
    throw no('NONEXISTENT', 'There is no such mailbox');
  }
  const view = new View(found.mailbox, found.uids, readOnly);
  session.view = view;
  const flags = SYSTEM_FLAGS.join(' ');
  const { mailbox } = found;
  const firstUnseen = mailbox.unseen > 0 ? yield* findUnseen(session, view) : 0;
  // RECENT is always 0: `\Recent` needs a session that was first, which many nodes cannot
  // agree on; RFC 9051 took it away.
  session.out.text(
    `* FLAGS (${flags})\r\n* ${view.exists} EXISTS\r\n* 0 RECENT\r\n` +
      (firstUnseen > 0 ? `* OK [UNSEEN ${firstUnseen}] First unseen message\r\n` : '') +
      (readOnly
        ? '* OK [PERMANENTFLAGS ()] Read-only\r\n'
        : `* OK [PERMANENTFLAGS (${flags} \\*)] Keywords can be made\r\n`) +
      `* OK [UIDNEXT ${mailbox.uidNext}] Next UID\r\n` +
      `* OK [UIDVALIDITY ${mailbox.uidValidity}] UIDs are valid\r\n` +
      formatHighest(mailbox.highestModSeq),
  );
  return readOnly ? ok('EXAMINE completed', 'READ-ONLY') : ok('SELECT completed', 'READ-WRITE');
}

export function* leaveMailbox(session: Session): Task<void> {
  session.view = undefined;
  session.dirty = false;
  yield* store(session, (access) => access.watch(undefined));
}

function* findUnseen(session: Session, view: View): Task<number> {
  const ranges = view.rangesOfNumbers([[1, Math.min(view.exists, UNSEEN_ROWS)]]);
  const rows = yield* store(session, (access) =>
    access.messages(view.id, ranges, { limit: UNSEEN_ROWS, expunged: true }),
  );
  const unseen = rows.find((row) => !row.flags.includes('\\Seen') && view.numberOf(row.uid) > 0);
  return unseen === undefined ? 0 : view.numberOf(unseen.uid);
}
