/** LSUB (RFC 3501 6.3.9). */

import { latin1 } from '#base/bytes.ts';
import { LOGGED_IN, type Command } from '../command.ts';
import { bad, ok } from '../completion.ts';
import { listSubscribed, matchNames } from '../listing.ts';
import { formatMailbox } from '../mailbox-name.ts';
import { relieve, store } from '../task.ts';

export const lsub: Command<string> = {
  name: 'LSUB',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor) {
    cursor.space();
    const reference = latin1(cursor.astring());
    cursor.space();
    const pattern = reference + latin1(cursor.pattern());
    if (pattern.length > 1_000) throw bad('The pattern is too long');
    return pattern;
  },
  *run(session, pattern) {
    const subscriptions = yield* store(session, (access) => access.subscriptions());
    const matches = yield* matchNames(session, subscriptions, [pattern]);
    for (const { name, selectable } of listSubscribed(subscriptions, matches)) {
      const attributes = selectable ? '' : '\\Noselect';
      session.out.text(`* LSUB (${attributes}) "/" ${formatMailbox(name)}\r\n`);
      yield* relieve(session);
    }
    return ok('LSUB completed');
  },
};
