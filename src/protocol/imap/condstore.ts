/** Modification sequences for clients that ask for them (CONDSTORE, RFC 7162 3.1). */

import { bad } from './completion.ts';
import type { Session } from './session.ts';
import type { Cursor } from './syntax/cursor.ts';

/** Any command that speaks of modification sequences turns them on, for good (RFC 7162 3.1). */
export function enableCondstore(session: Session): void {
  if (session.condstore) return;
  session.condstore = true;
  if (session.view !== undefined) session.out.text(formatHighest(session.view.modSeq));
}

export function formatHighest(modSeq: number): string {
  return `* OK [HIGHESTMODSEQ ${Math.max(1, modSeq)}] Highest\r\n`;
}

/** 0 to 2^63-1; what is beyond our own numbers is as large as can be. */
export function readModSeq(cursor: Cursor): number {
  const digits = cursor.digits();
  if (digits.length > 19) throw bad('The number is too large');
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

/** ` (NAME value)` where it stands; undefined where it does not. */
export function readModifier(cursor: Cursor, name: string): number | undefined {
  if (!cursor.tryTake(' (')) return undefined;
  if (cursor.keyword() !== name) throw bad(`${name} is the only modifier here`);
  cursor.space();
  const value = readModSeq(cursor);
  cursor.take(')');
  return value;
}
