/** STORE by message number (RFC 3501 6.4.6). */

import type { UidRanges } from '#store/mail.ts';
import { SELECTED, type Command } from '../command.ts';
import { bad, no, ok, type Completion } from '../completion.ts';
import { respond } from '../fetch/respond.ts';
import type { Item } from '../fetch/items.ts';
import { writableView } from '../selected.ts';
import type { Session } from '../session.ts';
import { readFlags } from '../syntax/flags.ts';
import { readNumberSet, type NumberSet } from '../syntax/number-set.ts';
import { store as inStore, type Task } from '../task.ts';
import type { View } from '../view.ts';

export interface StoreArgs {
  readonly set: NumberSet;
  readonly mode: 'add' | 'remove' | 'replace';
  readonly silent: boolean;
  readonly flags: readonly string[];
}

const MODES: ReadonlyMap<string, StoreArgs['mode']> = new Map([
  ['+FLAGS', 'add'],
  ['-FLAGS', 'remove'],
  ['FLAGS', 'replace'],
]);

export const store: Command<StoreArgs> = {
  name: 'STORE',
  phases: SELECTED,
  news: 'no-expunge',
  parse(cursor, session) {
    cursor.space();
    const set = readNumberSet(cursor, session.options.setElements);
    cursor.space();
    const word = cursor.keyword();
    const silent = word.endsWith('.SILENT');
    const mode = MODES.get(silent ? word.slice(0, -7) : word);
    if (mode === undefined) throw bad('STORE changes FLAGS, +FLAGS or -FLAGS');
    cursor.space();
    return { set, mode, silent, flags: readFlags(cursor, session.options.listItems) };
  },
  *run(session, args) {
    const view = writableView(session);
    return yield* storeFlags(session, view, view.rangesOfNumbers(args.set), args, FLAGS);
  },
};

const FLAGS: readonly Item[] = [{ kind: 'attribute', name: 'FLAGS' }];

/** Changes flags and shows the result, unless silent; OK only when it is on disk. */
export function* storeFlags(
  session: Session,
  view: View,
  ranges: UidRanges,
  args: StoreArgs,
  shown: readonly Item[],
): Task<Completion> {
  if (ranges.length === 0) return ok('No such message');
  const { mode, flags } = args;
  const { result } = yield* inStore(session, (access) =>
    access.write('storeFlags', { mailbox: view.id, uids: ranges, mode, flags }),
  );
  if (result.kind === 'too-many-keywords') throw no('LIMIT', 'The mailbox has too many keywords');
  if (result.kind === 'no-such-mailbox') throw no('NONEXISTENT', 'The mailbox was deleted');
  for (const change of result.changed) view.told.set(change.uid, change.modSeq);
  if (!args.silent) yield* respond(session, view, ranges, shown);
  // RFC 2180 4.2.1, RFC 5530 3: what another session expunged is no error of this one.
  return view.holdsGone(ranges)
    ? ok('STORE completed; some messages were expunged', 'EXPUNGEISSUED')
    : ok('STORE completed');
}
