/** Telling a session what happened in its mailbox, where that is allowed (RFC 3501 5.2, 7.4.1). */

import { formatFlags } from './fetch/attributes.ts';
import type { Session } from './session.ts';
import { relieve, store, type Task } from './task.ts';

/**
 * Looks at what changed since the last time and tells it. `expunges` says whether this is a
 * moment for EXPUNGE: never during FETCH, STORE and SEARCH, or numbers would shift under the
 * client. Without it they are kept for the next moment, and the messages stay readable.
 */
export function* tellChanges(session: Session, expunges: boolean): Task<void> {
  const { view } = session;
  if (view === undefined) return;
  session.dirty = false;
  const mailbox = yield* store(session, (access) => access.mailboxById(view.id));
  if (mailbox === undefined) {
    // RFC 2180 3.3: nobody can go on with a mailbox that is gone.
    session.bye('The selected mailbox was deleted');
    return;
  }
  const changes = yield* store(session, (access) => access.changes(view.id, view.modSeq));
  const largest = view.largestUid;
  const fresh = changes.changed.filter((message) => message.uid > largest);
  view.expunged(changes.vanished);
  if (expunges) tellExpunged(session);
  if (fresh.length > 0) {
    view.add(fresh.map((message) => message.uid));
    session.out.text(`* ${view.exists} EXISTS\r\n* 0 RECENT\r\n`);
  }
  for (const message of changes.changed) {
    if (message.uid > largest || (view.told.get(message.uid) ?? 0) >= message.modSeq) continue;
    const number = view.numberOf(message.uid);
    if (number === 0) continue;
    nameKeywords(session, message.flags);
    const modSeq = session.condstore ? ` MODSEQ (${message.modSeq})` : '';
    const flags = formatFlags(message.flags);
    session.out.text(`* ${number} FETCH (UID ${message.uid} FLAGS ${flags}${modSeq})\r\n`);
    yield* relieve(session);
  }
  view.modSeq = changes.highestModSeq;
  view.told.clear();
}

/** After a command: news if there is any; `always` looks even when nobody said so. */
export function* tellNews(session: Session, expunges: boolean, always = false): Task<void> {
  if (session.view === undefined || session.ending) return;
  if (always || session.dirty) yield* tellChanges(session, expunges);
  else if (expunges) tellExpunged(session);
}

/** EXPUNGE for all that waits, from the highest number down: each is right when it is read. */
export function tellExpunged(session: Session): void {
  const numbers = session.view?.tellGone() ?? [];
  let text = '';
  for (const number of numbers) text += `* ${number} EXPUNGE\r\n`;
  if (text !== '') session.out.text(text);
}

/** Keywords that FLAGS has not named yet are named before they are shown (RFC 3501 7.2.6). */
export function nameKeywords(session: Session, flags: readonly string[]): void {
  const { view } = session;
  if (view === undefined) return;
  let fresh = false;
  for (const flag of flags) {
    if (flag.startsWith('\\') || view.keywords.has(flag)) continue;
    view.keywords.add(flag);
    fresh = true;
  }
  if (!fresh) return;
  session.out.text(`* FLAGS ${formatFlags([...SHOWN_FLAGS, ...view.keywords])}\r\n`);
}

const SHOWN_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'];
