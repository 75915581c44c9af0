/** What STORE and UID STORE share (RFC 3501 6.4.6, RFC 7162 3.1.3). */

import type { ModSeq, Uid } from '#base/brand.ts';
import type { UidRanges } from '#store/mail.ts';
import { bad, no, ok, type Completion } from './completion.ts';
import { enableCondstore, readModifier } from './condstore.ts';
import type { Item } from './fetch/items.ts';
import { respond } from './fetch/respond.ts';
import type { Session } from './session.ts';
import type { Cursor } from './syntax/cursor.ts';
import { readFlags } from './syntax/flags.ts';
import { formatSet, rangesOf, readNumberSet, type NumberSet } from './syntax/number-set.ts';
import { store, type Task } from './task.ts';
import { tellChanges } from './telling.ts';
import type { View } from './view.ts';

export interface StoreArgs {
  readonly set: NumberSet;
  readonly unchangedSince: number | undefined;
  readonly mode: 'add' | 'remove' | 'replace';
  readonly silent: boolean;
  readonly flags: readonly string[];
}

const MODES: ReadonlyMap<string, StoreArgs['mode']> = new Map([
  ['+FLAGS', 'add'],
  ['-FLAGS', 'remove'],
  ['FLAGS', 'replace'],
]);

/** ` set [(UNCHANGEDSINCE n)] [+-]FLAGS[.SILENT] flags`. */
export function readStore(cursor: Cursor, session: Session): StoreArgs {
  cursor.space();
  const set = readNumberSet(cursor, session.options.setElements);
  const unchangedSince = readModifier(cursor, 'UNCHANGEDSINCE');
  cursor.space();
  const word = cursor.keyword();
  const silent = word.endsWith('.SILENT');
  const mode = MODES.get(silent ? word.slice(0, -7) : word);
  if (mode === undefined) throw bad('STORE changes FLAGS, +FLAGS or -FLAGS');
  cursor.space();
  const flags = readFlags(cursor, session.options.listItems);
  return { set, unchangedSince, mode, silent, flags };
}

/** Changes flags and shows the result, unless silent; OK only when it is on disk. */
export function* storeFlags(
  session: Session,
  view: View,
  ranges: UidRanges,
  args: StoreArgs,
  byUid: boolean,
): Task<Completion> {
  if (args.unchangedSince !== undefined) enableCondstore(session);
  if (ranges.length === 0) return ok('No such message');
  const quiet = args.silent && !session.condstore;
  const modified = quiet
    ? yield* storeSilently(session, view, ranges, args)
    : yield* write(session, view, ranges, args, args.unchangedSince);
  if (!quiet) yield* respond(session, view, ranges, itemsToShow(session, args, byUid));
  if (modified.length > 0 && args.unchangedSince !== undefined) {
    const names = byUid ? modified : modified.map((uid) => view.numberOf(uid));
    return ok('Some messages changed since', `MODIFIED ${formatSet(names)}`);
  }
  // RFC 2180 4.2.1, RFC 5530 3: what another session expunged is no error of this one.
  return view.holdsGone(ranges)
    ? ok('STORE completed; some messages were expunged', 'EXPUNGEISSUED')
    : ok('STORE completed');
}

/**
 * A silent STORE tells the client nothing, so the client reckons the flags itself: right only
 * where nobody else changed them meanwhile. Those messages are changed in a second step, and
 * told with the next news.
 */
function* storeSilently(
  session: Session,
  view: View,
  ranges: UidRanges,
  args: StoreArgs,
): Task<readonly Uid[]> {
  if (session.dirty || view.told.size > 0) yield* tellChanges(session, false);
  if (session.ending) return [];
  const foreign = yield* write(session, view, ranges, args, view.modSeq);
  if (foreign.length > 0) {
    yield* write(session, view, rangesOf(foreign), args, undefined);
    for (const uid of foreign) view.told.delete(uid);
    session.dirty = true;
  }
  return [];
}

/** One commit; returns what it left alone because it changed later. */
function* write(
  session: Session,
  view: View,
  uids: UidRanges,
  { mode, flags }: StoreArgs,
  since: number | undefined,
): Task<readonly Uid[]> {
  const input = { mailbox: view.id, uids, mode, flags };
  const unchangedSince = since as ModSeq | undefined;
  const { result } = yield* store(session, (access) =>
    access.write('storeFlags', unchangedSince === undefined ? input : { ...input, unchangedSince }),
  );
  if (result.kind === 'too-many-keywords') throw no('LIMIT', 'The mailbox has too many keywords');
  if (result.kind === 'no-such-mailbox') throw no('NONEXISTENT', 'The mailbox was deleted');
  for (const change of result.changed) view.told.set(change.uid, change.modSeq);
  return result.modified;
}

/** With CONDSTORE the new modification sequence is shown always, flags unless silent. */
function itemsToShow(session: Session, args: StoreArgs, byUid: boolean): readonly Item[] {
  const names = [
    ...(byUid ? ['UID'] : []),
    ...(args.silent ? [] : ['FLAGS']),
    ...(session.condstore ? ['MODSEQ'] : []),
  ];
  return names.map((name) => ({ kind: 'attribute', name }));
}
