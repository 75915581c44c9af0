/** UID FETCH (RFC 3501 6.4.8): UID is in every answer, asked for or not. */

import type { Command } from '../command.ts';
import { ok } from '../completion.ts';
import type { Item } from '../fetch/items.ts';
import { viewForUids } from '../selected.ts';
import { fetch, fetchRanges, type FetchArgs } from './fetch.ts';

const UID: Item = { kind: 'attribute', name: 'UID' };

export const uidFetch: Command<FetchArgs> = {
  ...fetch,
  name: 'UID FETCH',
  news: 'if-any',
  *run(session, args) {
    const view = yield* viewForUids(session, args.set);
    const items = [UID, ...args.items];
    yield* fetchRanges(session, view, view.rangesOfUids(args.set), { ...args, items });
    return ok('UID FETCH completed');
  },
};
