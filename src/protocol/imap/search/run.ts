/** SEARCH and UID SEARCH: reading the command, finding, answering (RFC 3501 6.4.4, RFC 4731). */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { Rejected, bad, ok, type Completion } from '../completion.ts';
import { enableCondstore } from '../condstore.ts';
import type { UidRanges } from '#store/mail.ts';
import { formatString } from '../format/string.ts';
import type { Session } from '../session.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { formatSet, rangesAfter } from '../syntax/number-set.ts';
import { store, type Task } from '../task.ts';
import type { View } from '../view.ts';
import { compile, textsOf, type Compiled, type Places } from './evaluate.ts';
import { readKeys, type Key, type Search } from './keys.ts';

export interface SearchArgs {
  /** Names of RETURN; undefined: the old answer. */
  readonly returns: ReadonlySet<string> | undefined;
  readonly search: Search;
}

const RETURNS = new Set(['MIN', 'MAX', 'ALL', 'COUNT']);
/** Rows with their texts are heavier: fewer at a time. */
const HEAVY_ROWS = 100;
/** Texts that are looked up in the index; more are looked for in the messages alone. */
const INDEXED_TEXTS = 10;
const INDEXED_MESSAGES = 64;
const CHARSETS = new Set(['US-ASCII', 'UTF-8']);

/** ` [RETURN (...) ][CHARSET x ]keys`. */
export function readSearch(cursor: Cursor, session: Session): SearchArgs {
  cursor.space();
  const returns = cursor.tryTakeWord('RETURN') ? readReturns(cursor, session) : undefined;
  if (cursor.tryTakeWord('CHARSET')) {
    const charset = latin1(cursor.astring()).toUpperCase();
    cursor.space();
    if (!CHARSETS.has(charset)) {
      const code = 'BADCHARSET (US-ASCII UTF-8)';
      throw new Rejected({ status: 'NO', code, text: 'This charset is not known here' });
    }
  }
  return { returns, search: readKeys(cursor, session.options) };
}

/** Finds and answers; `byUid` says what the numbers are. */
export function* search(
  session: Session,
  view: View,
  args: SearchArgs,
  byUid: boolean,
  tag: string,
): Task<Completion> {
  if (args.search.modSeq) enableCondstore(session);
  const { key } = args.search;
  const compiled = compile(session, view, key, yield* placesOf(session, view, key));
  const found = yield* findMessages(session, view, compiled);
  const matches = byUid
    ? found
    : found.map(({ number, modSeq }) => ({ number: view.numberOf(number), modSeq }));
  const { returns } = args;
  if (returns === undefined) {
    const numbers = matches.map(({ number }) => ` ${number}`).join('');
    const modSeq = args.search.modSeq && matches.length > 0 ? ` (MODSEQ ${highest(matches)})` : '';
    session.out.text(`* SEARCH${numbers}${modSeq}\r\n`);
  } else {
    const text = formatExtended(matches, returns, args.search.modSeq);
    session.out.text(`* ESEARCH (TAG ${formatString(tag)})${byUid ? ' UID' : ''}${text}\r\n`);
  }
  return ok(`${byUid ? 'UID SEARCH' : 'SEARCH'} completed`);
}

/** What the index knows of the texts; a few messages are read sooner than it is asked. */
function* placesOf(session: Session, view: View, key: Key): Task<Places> {
  const places = new Map<string, UidRanges>();
  if (view.exists < INDEXED_MESSAGES) return places;
  for (const text of textsOf(key, INDEXED_TEXTS)) {
    places.set(text, yield* store(session, (access) => access.mayHold(view.id, text)));
  }
  return places;
}

/** A UID, or the message number that is shown for it. */
interface Match {
  readonly number: number;
  readonly modSeq: number;
}

function highest(matches: readonly Match[]): number {
  return matches.reduce((most, { modSeq }) => Math.max(most, modSeq), 1);
}

/** UIDs that the client knows and that match, ascending. */
function* findMessages(session: Session, view: View, compiled: Compiled): Task<readonly Match[]> {
  const { test, details } = compiled;
  if (compiled.decided) {
    const uids = view.within(compiled.ranges).filter((uid) => !view.isGone(uid));
    return uids.map((number) => ({ number, modSeq: 0 }));
  }
  const { batchRows } = session.options;
  const limit = details.length > 0 ? Math.min(HEAVY_ROWS, batchRows) : batchRows;
  const found: Match[] = [];
  let left = compiled.ranges;
  while (left.length > 0) {
    const ranges = left;
    const rows = yield* store(session, (access) =>
      access.messages(view.id, ranges, { limit, details }),
    );
    for (const row of rows) {
      if (view.numberOf(row.uid) === 0) continue;
      const matches = test.cost === 0 ? test.matches(row) : yield* holds(test.matches(row));
      if (matches) found.push({ number: row.uid, modSeq: row.modSeq });
    }
    const last = rows.at(-1)?.uid;
    // Rows with details are fewer than asked for when they are large.
    if (last === undefined || (details.length === 0 && rows.length < limit)) break;
    left = rangesAfter(ranges, last);
  }
  return found;
}

/** A message that is damaged for good matches nothing, and hides none of the others. */
function* holds(task: Task<boolean>): Task<boolean> {
  try {
    return yield* task;
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.kind === 'permanent') return false;
    throw thrown;
  }
}

/** RFC 4731 3.1, 3.2: with MODSEQ the highest of what is shown. */
function formatExtended(
  matches: readonly Match[],
  returns: ReadonlySet<string>,
  withModSeq: boolean,
): string {
  let text = '';
  const [first] = matches;
  const last = matches.at(-1);
  if (first !== undefined && last !== undefined) {
    if (returns.has('MIN')) text += ` MIN ${first.number}`;
    if (returns.has('MAX')) text += ` MAX ${last.number}`;
    if (returns.has('ALL')) text += ` ALL ${formatSet(matches.map(({ number }) => number))}`;
  }
  if (returns.has('COUNT')) text += ` COUNT ${matches.length}`;
  if (!withModSeq || first === undefined || last === undefined) return text;
  const ends = [...(returns.has('MIN') ? [first] : []), ...(returns.has('MAX') ? [last] : [])];
  const all = returns.has('ALL') || returns.has('COUNT');
  return `${text} MODSEQ ${highest(all ? matches : ends)}`;
}

function readReturns(cursor: Cursor, session: Session): ReadonlySet<string> {
  const names = cursor.list(() => cursor.keyword(), session.options.listItems);
  cursor.space();
  for (const name of names) if (!RETURNS.has(name)) throw bad('No such return option');
  return new Set(names.length === 0 ? ['ALL'] : names);
}
