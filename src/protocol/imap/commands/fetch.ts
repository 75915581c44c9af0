/** FETCH by message number (RFC 3501 6.4.5), with CHANGEDSINCE (RFC 7162 3.1.4.1). */

import type { UidRanges } from '#store/mail.ts';
import { SELECTED, type Command } from '../command.ts';
import { ok } from '../completion.ts';
import { enableCondstore, readModifier } from '../condstore.ts';
import { readItems, type Item } from '../fetch/items.ts';
import { respond } from '../fetch/respond.ts';
import { selectedView } from '../selected.ts';
import type { Session } from '../session.ts';
import { inRanges, rangesOf, readNumberSet, type NumberSet } from '../syntax/number-set.ts';
import { store, type Task } from '../task.ts';
import type { View } from '../view.ts';

export interface FetchArgs {
  readonly set: NumberSet;
  readonly items: readonly Item[];
  readonly changedSince: number | undefined;
}

const MODSEQ: Item = { kind: 'attribute', name: 'MODSEQ' };

export const fetch: Command<FetchArgs> = {
  name: 'FETCH',
  phases: SELECTED,
  news: 'no-expunge',
  parse(cursor, session) {
    cursor.space();
    const set = readNumberSet(cursor, session.options.setElements);
    cursor.space();
    const items = readItems(cursor, session.options);
    const changedSince = readModifier(cursor, 'CHANGEDSINCE');
    return { set, items: changedSince === undefined ? items : [...items, MODSEQ], changedSince };
  },
  *run(session, args) {
    const view = selectedView(session);
    yield* fetchRanges(session, view, view.rangesOfNumbers(args.set), args);
    return ok('FETCH completed');
  },
};

/** What changed, where that was asked for: the store finds it without reading the rest. */
export function* fetchRanges(
  session: Session,
  view: View,
  ranges: UidRanges,
  { items, changedSince }: Omit<FetchArgs, 'set'>,
): Task<void> {
  const speaksOfModSeq = items.some((item) => item.kind === 'attribute' && item.name === 'MODSEQ');
  if (speaksOfModSeq) enableCondstore(session);
  let wanted = ranges;
  if (changedSince !== undefined) {
    const since = changedSince as View['modSeq'];
    const changes = yield* store(session, (access) => access.changes(view.id, since));
    const uids = changes.changed.map((message) => message.uid);
    wanted = rangesOf(uids.filter((uid) => inRanges(ranges, uid)));
  }
  yield* respond(session, view, wanted, items);
}
