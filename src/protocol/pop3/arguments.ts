/** Arguments of commands: words, message numbers, counts; hostile ones become errors. */

import { latin1 } from '#base/bytes.ts';
import type { Session } from './session.ts';

/** Words between single or several spaces; none is [] (RFC 1939 3). */
export function wordsOf(argument: Uint8Array | undefined): string[] {
  if (argument === undefined) return [];
  return latin1(argument)
    .split(' ')
    .filter((word) => word !== '');
}

/** A message number as the index of a message that is there, or undefined: then it was said. */
export function messageIndex(session: Session, word: string): number | undefined {
  const { count } = session.maildrop;
  const number = parseCount(word);
  if (number === undefined || number < 1 || number > count) {
    session.error(`no such message, ${count} in maildrop`);
    return undefined;
  }
  if (session.isDeleted(number - 1)) {
    session.error(`message ${number} is marked as deleted`);
    return undefined;
  }
  return number - 1;
}

/** A decimal number from 0; undefined when it is none, or has more than 20 digits. */
export function parseCount(word: string): number | undefined {
  return /^\d{1,20}$/.test(word) ? Number(word) : undefined;
}
