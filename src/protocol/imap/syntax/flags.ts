/** Flags in commands: system flags in their usual spelling, keywords as written (RFC 3501 9). */

import { bad } from '../completion.ts';
import type { Cursor } from './cursor.ts';

export const SYSTEM_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const;

const SPELLING: ReadonlyMap<string, string> = new Map(
  SYSTEM_FLAGS.map((flag) => [flag.toUpperCase(), flag]),
);
const KEYWORD_OCTETS = 100;

/** `(\Seen $Forwarded)`; each flag once. */
export function readFlagList(cursor: Cursor, max: number): readonly string[] {
  return once(cursor.list(() => readFlag(cursor), max));
}

/** As STORE takes them: the parentheses may be missing. */
export function readFlags(cursor: Cursor, max: number): readonly string[] {
  if (cursor.peek() === '(') return readFlagList(cursor, max);
  const flags = [readFlag(cursor)];
  while (cursor.tryTake(' ')) {
    flags.push(readFlag(cursor));
    if (flags.length > max) throw bad('The list is too long');
  }
  return once(flags);
}

/** A keyword as SEARCH takes it. */
export function readKeyword(cursor: Cursor): string {
  const keyword = cursor.atom();
  if (keyword.length > KEYWORD_OCTETS) throw bad('The keyword is too long');
  return keyword;
}

function readFlag(cursor: Cursor): string {
  if (!cursor.tryTake('\\')) return readKeyword(cursor);
  const name = `\\${cursor.atom()}`;
  const flag = SPELLING.get(name.toUpperCase());
  if (flag === undefined) throw bad('There is no such system flag');
  return flag;
}

function once(flags: readonly string[]): readonly string[] {
  const seen = new Map<string, string>();
  for (const flag of flags) if (!seen.has(flag.toLowerCase())) seen.set(flag.toLowerCase(), flag);
  return [...seen.values()];
}
