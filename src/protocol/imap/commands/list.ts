/** LIST (RFC 3501 6.3.8) with LIST-EXTENDED (5258), LIST-STATUS (5819), SPECIAL-USE (6154). */

import { latin1 } from '#base/bytes.ts';
import { LOGGED_IN, type Command } from '../command.ts';
import { bad, ok } from '../completion.ts';
import { enableCondstore } from '../condstore.ts';
import { listMailboxes, matchNames, type Listed } from '../listing.ts';
import { formatMailbox } from '../mailbox-name.ts';
import type { ImapOptions } from '../options.ts';
import { formatStatus, readStatusItems, type StatusItem } from '../status.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { relieve, store } from '../task.ts';

interface ListArgs {
  readonly selection: ReadonlySet<string>;
  readonly reference: string;
  readonly patterns: readonly string[];
  readonly extended: boolean;
  readonly returns: ReadonlySet<string>;
  readonly status: readonly StatusItem[];
}

const SELECTIONS = new Set(['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE']);
const RETURNS = new Set(['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE']);

export const list: Command<ListArgs> = {
  name: 'LIST',
  phases: LOGGED_IN,
  news: 'if-any',
  parse(cursor, session) {
    const { options } = session;
    cursor.space();
    const selected = cursor.peek() === '(';
    const selection = selected ? readSelection(cursor, options) : new Set<string>();
    if (selected) cursor.space();
    const reference = latin1(cursor.astring());
    cursor.space();
    const several = cursor.peek() === '(';
    const read = (): string => latin1(cursor.pattern());
    const patterns = several ? cursor.list(read, options.listItems, 1) : [read()];
    if (patterns.some((pattern) => pattern.length + reference.length > 1_000)) {
      throw bad('The pattern is too long');
    }
    const more = cursor.tryTake(' ');
    const returned = more ? readReturn(cursor, options) : NO_RETURN;
    return { selection, reference, patterns, extended: selected || several || more, ...returned };
  },

  *run(session, args) {
    const { reference, patterns, selection, returns } = args;
    if (!args.extended && patterns[0] === '') {
      // RFC 3501 6.3.8: what separates levels, and the root.
      session.out.text('* LIST (\\Noselect) "/" ""\r\n');
      return ok('LIST completed');
    }
    const mailboxes = yield* store(session, (access) => access.mailboxes());
    const needed = selection.has('SUBSCRIBED') || returns.has('SUBSCRIBED');
    const subscriptions = needed ? yield* store(session, (access) => access.subscriptions()) : [];
    const names = [...mailboxes.map((mailbox) => mailbox.name), ...subscriptions];
    const wanted = patterns.map((pattern) => reference + pattern);
    const matches = yield* matchNames(session, names, wanted);
    const listed = listMailboxes(mailboxes, subscriptions, matches, {
      onlySubscribed: selection.has('SUBSCRIBED'),
      onlySpecialUse: selection.has('SPECIAL-USE'),
      recursive: selection.has('RECURSIVEMATCH'),
      showSubscribed: returns.has('SUBSCRIBED'),
    });
    if (args.status.includes('HIGHESTMODSEQ')) enableCondstore(session);
    for (const one of listed) {
      session.out.text(formatListed(one));
      // RFC 5819 2: STATUS follows its LIST; what does not exist has none.
      if (args.status.length > 0 && one.mailbox !== undefined) {
        session.out.text(formatStatus(one.mailbox, args.status, session.options));
      }
      yield* relieve(session);
    }
    return ok('LIST completed');
  },
};

function formatListed({ name, attributes, childInfo }: Listed): string {
  const info = childInfo ? ' (CHILDINFO ("SUBSCRIBED"))' : '';
  return `* LIST (${attributes.join(' ')}) "/" ${formatMailbox(name)}${info}\r\n`;
}

function readSelection(cursor: Cursor, options: ImapOptions): ReadonlySet<string> {
  const names = new Set(cursor.list(() => cursor.keyword(), options.listItems));
  for (const name of names) if (!SELECTIONS.has(name)) throw bad('No such selection option');
  // RFC 5258 3: it says how others are to be taken.
  if (names.has('RECURSIVEMATCH') && !names.has('SUBSCRIBED')) {
    throw bad('RECURSIVEMATCH goes with SUBSCRIBED');
  }
  return names;
}

type Returned = Pick<ListArgs, 'returns' | 'status'>;

const NO_RETURN: Returned = { returns: new Set<string>(), status: [] };

function readReturn(cursor: Cursor, options: ImapOptions): Returned {
  if (cursor.keyword() !== 'RETURN') throw bad('RETURN is expected');
  cursor.space();
  const returns = new Set<string>();
  let status: readonly StatusItem[] = [];
  cursor.list(() => {
    const name = cursor.keyword();
    if (name === 'STATUS') {
      cursor.space();
      status = readStatusItems(cursor, options);
    } else if (RETURNS.has(name)) returns.add(name);
    else throw bad('No such return option');
  }, options.listItems);
  return { returns, status };
}
