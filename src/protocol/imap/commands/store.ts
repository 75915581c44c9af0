/** STORE by message number (RFC 3501 6.4.6). */

import { SELECTED, type Command } from '../command.ts';
import { writableView } from '../selected.ts';
import { readStore, storeFlags, type StoreArgs } from '../store-flags.ts';

export const store: Command<StoreArgs> = {
  name: 'STORE',
  phases: SELECTED,
  news: 'no-expunge',
  parse: readStore,
  *run(session, args) {
    const view = writableView(session);
    return yield* storeFlags(session, view, view.rangesOfNumbers(args.set), args, false);
  },
};
