/** The keys of SEARCH (RFC 3501 6.4.4) as a tree, its depth and size limited. */

import { latin1, parseUtf8 } from '#base/bytes.ts';
import { foldText } from '#message/search-text.ts';
import { bad } from '../completion.ts';
import { readModSeq } from '../condstore.ts';
import type { ImapOptions } from '../options.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { readDate } from '../syntax/date.ts';
import { readKeyword } from '../syntax/flags.ts';
import { readNumberSet, startsNumberSet, type NumberSet } from '../syntax/number-set.ts';

export type Compare = 'before' | 'on' | 'since';
export type TextField = 'subject' | 'from' | 'to' | 'cc' | 'bcc';

export type Key =
  | { readonly kind: 'and'; readonly keys: readonly Key[] }
  | { readonly kind: 'or'; readonly keys: readonly [Key, Key] }
  | { readonly kind: 'not'; readonly key: Key }
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'numbers'; readonly set: NumberSet }
  | { readonly kind: 'uids'; readonly set: NumberSet }
  /** Lower case. */
  | { readonly kind: 'flag'; readonly flag: string; readonly set: boolean }
  | { readonly kind: 'larger' | 'smaller'; readonly bytes: number }
  | { readonly kind: 'modseq'; readonly modSeq: number }
  | { readonly kind: 'arrived' | 'sent'; readonly compare: Compare; readonly day: number }
  /** Texts are folded. */
  | { readonly kind: 'field'; readonly field: TextField; readonly text: string }
  | { readonly kind: 'header'; readonly name: string; readonly text: string }
  | { readonly kind: 'body' | 'text'; readonly text: string };

export interface Search {
  readonly key: Key;
  /** MODSEQ is one of the keys: the answer has one too (RFC 7162 3.1.5). */
  readonly modSeq: boolean;
}

interface Reader {
  readonly cursor: Cursor;
  readonly options: ImapOptions;
  keys: number;
  modSeq: boolean;
}

/** One or more keys, all of which must hold, to the end of the command. */
export function readKeys(cursor: Cursor, options: ImapOptions): Search {
  const reader: Reader = { cursor, options, keys: 0, modSeq: false };
  const keys = [readKey(reader, 0)];
  while (cursor.tryTake(' ')) keys.push(readKey(reader, 0));
  return { key: allOf(keys), modSeq: reader.modSeq };
}

const flag = (name: string, set = true): Key => ({ kind: 'flag', flag: name, set });

/** Keys that stand alone. */
const SIMPLE: ReadonlyMap<string, Key> = new Map<string, Key>([
  ['ALL', { kind: 'all' }],
  ['ANSWERED', flag('\\answered')],
  ['DELETED', flag('\\deleted')],
  ['DRAFT', flag('\\draft')],
  ['FLAGGED', flag('\\flagged')],
  ['SEEN', flag('\\seen')],
  ['UNANSWERED', flag('\\answered', false)],
  ['UNDELETED', flag('\\deleted', false)],
  ['UNDRAFT', flag('\\draft', false)],
  ['UNFLAGGED', flag('\\flagged', false)],
  ['UNSEEN', flag('\\seen', false)],
  // \Recent is never set here: NEW is RECENT and UNSEEN, OLD is not RECENT.
  ['NEW', { kind: 'none' }],
  ['OLD', { kind: 'all' }],
  ['RECENT', { kind: 'none' }],
]);

const FIELDS: ReadonlyMap<string, TextField> = new Map([
  ['BCC', 'bcc'],
  ['CC', 'cc'],
  ['FROM', 'from'],
  ['SUBJECT', 'subject'],
  ['TO', 'to'],
]);

const DATES: ReadonlyMap<string, readonly ['arrived' | 'sent', Compare]> = new Map([
  ['BEFORE', ['arrived', 'before']],
  ['ON', ['arrived', 'on']],
  ['SINCE', ['arrived', 'since']],
  ['SENTBEFORE', ['sent', 'before']],
  ['SENTON', ['sent', 'on']],
  ['SENTSINCE', ['sent', 'since']],
]);

/** Recursion is as deep as `options.depth`, no deeper. */
function readKey(reader: Reader, depth: number): Key {
  const { cursor, options } = reader;
  if (depth > options.depth) throw bad('The search is nested too deeply');
  if (++reader.keys > options.listItems) throw bad('The search has too many keys');
  if (cursor.peek() === '(') {
    const room = options.listItems;
    return allOf(cursor.list(() => readKey(reader, depth + 1), room, 1));
  }
  if (startsNumberSet(cursor.peek())) {
    return { kind: 'numbers', set: readNumberSet(cursor, options.setElements) };
  }
  const name = cursor.keyword();
  const simple = SIMPLE.get(name);
  if (simple !== undefined) return simple;
  cursor.space();
  if (name === 'NOT') return { kind: 'not', key: readKey(reader, depth + 1) };
  if (name === 'OR') {
    const first = readKey(reader, depth + 1);
    cursor.space();
    return { kind: 'or', keys: [first, readKey(reader, depth + 1)] };
  }
  return readArgument(name, reader);
}

function readArgument(name: string, reader: Reader): Key {
  const { cursor, options } = reader;
  const field = FIELDS.get(name);
  if (field !== undefined) return { kind: 'field', field, text: readText(cursor) };
  const date = DATES.get(name);
  if (date !== undefined) {
    const [kind, compare] = date;
    return { kind, compare, day: readDate(cursor) };
  }
  switch (name) {
    case 'UID':
      return { kind: 'uids', set: readNumberSet(cursor, options.setElements) };
    case 'KEYWORD':
      return flag(readKeyword(cursor).toLowerCase());
    case 'UNKEYWORD':
      return flag(readKeyword(cursor).toLowerCase(), false);
    case 'LARGER':
      return { kind: 'larger', bytes: cursor.number() };
    case 'SMALLER':
      return { kind: 'smaller', bytes: cursor.number() };
    case 'MODSEQ':
      reader.modSeq = true;
      return readModSeqKey(cursor);
    case 'BODY':
      return { kind: 'body', text: readText(cursor) };
    case 'TEXT':
      return { kind: 'text', text: readText(cursor) };
    case 'HEADER': {
      const header = latin1(cursor.astring()).toLowerCase();
      cursor.space();
      return { kind: 'header', name: header, text: readText(cursor) };
    }
    default:
      throw bad('There is no such search key');
  }
}

/** `["/flags/\\Seen" all] n`: one sequence covers all of a message, so the entry is ignored. */
function readModSeqKey(cursor: Cursor): Key {
  if (cursor.peek() === '"') {
    if (!latin1(cursor.string()).startsWith('/flags/')) throw bad('There is no such entry');
    cursor.space();
    if (!['PRIV', 'SHARED', 'ALL'].includes(cursor.keyword())) throw bad('No such entry type');
    cursor.space();
  }
  return { kind: 'modseq', modSeq: readModSeq(cursor) };
}

/** US-ASCII is a part of UTF-8, so one reading serves both, and clients that forget CHARSET. */
function readText(cursor: Cursor): string {
  const text = parseUtf8(cursor.astring());
  if (text === undefined) throw bad('The text is not in the charset of the search');
  return foldText(text);
}

function allOf(keys: readonly Key[]): Key {
  const [only] = keys;
  return keys.length === 1 && only !== undefined ? only : { kind: 'and', keys };
}
