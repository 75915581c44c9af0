/** UID FETCH (RFC 3501 6.4.8): UID is in every answer, asked for or not. */

import type { Command } from '../command.ts';
import { ok } from '../completion.ts';
import type { Item } from '../fetch/items.ts';
import { respond } from '../fetch/respond.ts';
import { viewForUids } from '../selected.ts';
import type { NumberSet } from '../syntax/number-set.ts';
import { fetch } from './fetch.ts';

const UID: Item = { kind: 'attribute', name: 'UID' };

export const uidFetch: Command<{ readonly set: NumberSet; readonly items: readonly Item[] }> = {
  ...fetch,
  name: 'UID FETCH',
  news: 'if-any',
  *run(session, { set, items }) {
    const view = yield* viewForUids(session, set);
    yield* respond(session, view, view.rangesOfUids(set), [UID, ...items]);
    return ok('UID FETCH completed');
  },
};
