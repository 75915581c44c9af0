/** UID STORE (RFC 3501 6.4.8). */

import type { Command } from '../command.ts';
import type { Item } from '../fetch/items.ts';
import { viewForUids, writableView } from '../selected.ts';
import { store, storeFlags, type StoreArgs } from './store.ts';

const UID_FLAGS: readonly Item[] = [
  { kind: 'attribute', name: 'UID' },
  { kind: 'attribute', name: 'FLAGS' },
];

export const uidStore: Command<StoreArgs> = {
  ...store,
  name: 'UID STORE',
  news: 'if-any',
  *run(session, args) {
    writableView(session);
    const view = yield* viewForUids(session, args.set);
    return yield* storeFlags(session, view, view.rangesOfUids(args.set), args, UID_FLAGS);
  },
};
