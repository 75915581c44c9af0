/** SEARCH and UID SEARCH: reading the command, finding, answering (RFC 3501 6.4.4, RFC 4731). */

import { latin1 } from '#base/bytes.ts';
import { Rejected, bad, ok, type Completion } from '../completion.ts';
import { formatString } from '../format/string.ts';
import type { Session } from '../session.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { formatSet } from '../syntax/number-set.ts';
import { store, type Task } from '../task.ts';
import type { View } from '../view.ts';
import { compile, type Compiled } from './evaluate.ts';
import { readKeys, type Key } from './keys.ts';

export interface SearchArgs {
  /** Names of RETURN; undefined: the old answer. */
  readonly returns: ReadonlySet<string> | undefined;
  readonly key: Key;
}

const RETURNS = new Set(['MIN', 'MAX', 'ALL', 'COUNT']);
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
  return { returns, key: readKeys(cursor, session.options) };
}

/** Finds and answers; `byUid` says what the numbers are. */
export function* search(
  session: Session,
  view: View,
  args: SearchArgs,
  byUid: boolean,
  tag: string,
): Task<Completion> {
  const compiled = compile(session, view, args.key);
  const uids = yield* findUids(session, view, compiled);
  const numbers = byUid ? uids : uids.map((uid) => view.numberOf(uid));
  if (args.returns === undefined) {
    session.out.text(`* SEARCH${numbers.map((number) => ` ${number}`).join('')}\r\n`);
  } else session.out.text(formatExtended(numbers, args.returns, byUid, tag));
  return ok(`${byUid ? 'UID SEARCH' : 'SEARCH'} completed`);
}

/** UIDs that the client knows and that match, ascending. */
function* findUids(session: Session, view: View, compiled: Compiled): Task<readonly number[]> {
  const { test, details } = compiled;
  if (compiled.decided) return view.within(compiled.ranges).filter((uid) => !view.isGone(uid));
  const limit = session.options.batchRows;
  const found: number[] = [];
  let left = compiled.ranges;
  while (left.length > 0) {
    const ranges = left;
    const rows = yield* store(session, (access) =>
      access.messages(view.id, ranges, { limit, details }),
    );
    for (const row of rows) {
      if (view.numberOf(row.uid) === 0) continue;
      const matches = test.cost === 0 ? test.matches(row) : yield* test.matches(row);
      if (matches) found.push(row.uid);
    }
    const last = rows.at(-1)?.uid;
    if (last === undefined || rows.length < limit) break;
    left = ranges
      .filter(([, to]) => to > last)
      .map(([from, to]): readonly [number, number] => [Math.max(from, last + 1), to]);
  }
  return found;
}

/** RFC 4731 3.1; the tag is a string here, quoted: Outlook reads it no other way. */
function formatExtended(
  numbers: readonly number[],
  returns: ReadonlySet<string>,
  byUid: boolean,
  tag: string,
): string {
  let text = `* ESEARCH (TAG ${formatString(tag)})${byUid ? ' UID' : ''}`;
  const [first] = numbers;
  const last = numbers.at(-1);
  if (first !== undefined && last !== undefined) {
    if (returns.has('MIN')) text += ` MIN ${first}`;
    if (returns.has('MAX')) text += ` MAX ${last}`;
    if (returns.has('ALL')) text += ` ALL ${formatSet(numbers)}`;
  }
  if (returns.has('COUNT')) text += ` COUNT ${numbers.length}`;
  return `${text}\r\n`;
}

function readReturns(cursor: Cursor, session: Session): ReadonlySet<string> {
  const names = cursor.list(() => cursor.keyword(), session.options.listItems);
  cursor.space();
  for (const name of names) if (!RETURNS.has(name)) throw bad('No such return option');
  return new Set(names.length === 0 ? ['ALL'] : names);
}
