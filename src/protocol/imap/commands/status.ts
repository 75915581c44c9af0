/** STATUS (RFC 3501 6.3.10). */

import { LOGGED_IN, type Command } from '../command.ts';
import { no, ok } from '../completion.ts';
import { enableCondstore } from '../condstore.ts';
import { readMailbox } from '../mailbox-name.ts';
import { formatStatus, readStatusItems, type StatusItem } from '../status.ts';
import { store } from '../task.ts';

export const status: Command<{ readonly name: string; readonly items: readonly StatusItem[] }> = {
  name: 'STATUS',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    cursor.space();
    const name = readMailbox(cursor, session.options);
    cursor.space();
    return { name, items: readStatusItems(cursor, session.options) };
  },
  *run(session, { name, items }) {
    const mailbox = yield* store(session, (access) => access.mailbox(name));
    if (mailbox === undefined) throw no('NONEXISTENT', 'There is no such mailbox');
    if (items.includes('HIGHESTMODSEQ')) enableCondstore(session);
    session.out.text(formatStatus(mailbox, items, session.options));
    return ok('STATUS completed');
  },
};
