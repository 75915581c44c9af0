/** CREATE (RFC 3501 6.3.3), with a special use where asked for (RFC 6154 3). */

import type { SpecialUse } from '#store/mail.ts';
import { LOGGED_IN, type Command } from '../command.ts';
import { bad, no, ok } from '../completion.ts';
import { readNewMailbox } from '../mailbox-name.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { store } from '../task.ts';

const USES: readonly SpecialUse[] = ['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash'];

export const create: Command<{ readonly name: string; readonly use: SpecialUse | undefined }> = {
  name: 'CREATE',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    cursor.space();
    const name = readNewMailbox(cursor, session.options);
    return { name, use: cursor.tryTake(' ') ? readUse(cursor) : undefined };
  },
  *run(session, { name, use }) {
    if (name === 'INBOX') throw no('ALREADYEXISTS', 'INBOX is always there');
    if (use !== undefined) {
      // One mailbox a use, or clients would not know which to take (RFC 6154 5.3 USEATTR).
      const mailboxes = yield* store(session, (access) => access.mailboxes());
      if (mailboxes.some((mailbox) => mailbox.specialUse === use)) {
        throw no('USEATTR', `Another mailbox is ${use} already`);
      }
    }
    const { result } = yield* store(session, (access) =>
      access.write('createMailbox', { name, specialUse: use }),
    );
    if (result.kind === 'exists') throw no('ALREADYEXISTS', 'There is such a mailbox');
    if (result.kind === 'too-many-mailboxes') throw no('LIMIT', 'There are too many mailboxes');
    return ok('CREATE completed');
  },
};

/** `(USE (\Sent))`: one attribute; those that we cannot keep are refused. */
function readUse(cursor: Cursor): SpecialUse | undefined {
  cursor.take('(');
  if (cursor.keyword() !== 'USE') throw bad('USE is the only parameter of CREATE');
  cursor.space();
  const names = cursor.list(() => {
    cursor.take('\\');
    return `\\${cursor.atom()}`;
  }, 10);
  cursor.take(')');
  if (names.length > 1) throw no('USEATTR', 'A mailbox has one special use');
  const [name] = names;
  if (name === undefined) return undefined;
  const use = USES.find((one) => one.toLowerCase() === name.toLowerCase());
  if (use === undefined) throw no('USEATTR', 'There is no such special use here');
  return use;
}
