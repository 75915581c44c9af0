/** UID STORE (RFC 3501 6.4.8). */

import { SELECTED, type Command } from '../command.ts';
import { viewForUids, writableView } from '../selected.ts';
import { readStore, storeFlags, type StoreArgs } from '../store-flags.ts';

export const uidStore: Command<StoreArgs> = {
  name: 'UID STORE',
  phases: SELECTED,
  news: 'if-any',
  parse: readStore,
  *run(session, args) {
    writableView(session);
    const view = yield* viewForUids(session, args.set);
    return yield* storeFlags(session, view, view.rangesOfUids(args.set), args, true);
  },
};
