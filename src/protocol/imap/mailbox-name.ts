/** Mailbox names: Unicode inside, modified UTF-7 on the wire, checked at the door (RFC 3501 5.1). */

import { asBuffer, latin1 } from '#base/bytes.ts';
import { no } from './completion.ts';
import { formatAString } from './format/string.ts';
import type { ImapOptions } from './options.ts';
import type { Cursor } from './syntax/cursor.ts';

export const DELIMITER = '/';

/**
 * A mailbox argument as a name: INBOX in any case as its first level, NFC, so that a name and
 * its decomposed twin are one. Refused (NO [CANNOT]): what is not canonical modified UTF-7,
 * control characters, lone surrogates, empty levels, too long, too deep.
 */
export function readMailbox(cursor: Cursor, options: ImapOptions): string {
  return checkName(decodeName(latin1(cursor.astring())), options);
}

/** The same for CREATE and RENAME, where a trailing `/` only says that children will come. */
export function readNewMailbox(cursor: Cursor, options: ImapOptions): string {
  const name = decodeName(latin1(cursor.astring()));
  const bare = name?.endsWith(DELIMITER) === true ? name.slice(0, -1) : name;
  const checked = checkName(bare, options);
  // LIST could not name them (RFC 3501 6.3.8).
  if (/[%*]/.test(checked)) throw no('CANNOT', 'A mailbox name cannot have % or * in it');
  return checked;
}

/** A name as it goes on the wire: an atom or a string. */
export function formatMailbox(name: string): string {
  return formatAString(encodeName(name));
}

/** Unicode to modified UTF-7 (RFC 3501 5.1.3). */
export function encodeName(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${encodeRun(run)}-`));
}

/** Modified UTF-7 to Unicode; undefined for every form but the canonical one. */
export function decodeName(text: string): string | undefined {
  if (/[^\x20-\x7e]/.test(text)) return undefined;
  if (!text.includes('&')) return text;
  const name = text.replace(/&([^-]*)-?/g, (_, run: string) => (run === '' ? '&' : decodeRun(run)));
  return encodeName(name) === text && name.isWellFormed() ? name : undefined;
}

/** INBOX in any case, as the first level (RFC 3501 5.1). */
export function foldInbox(name: string): string {
  const first = name.slice(0, 5);
  const rest = name.slice(5);
  const isInbox = first.toUpperCase() === 'INBOX' && (rest === '' || rest.startsWith(DELIMITER));
  return isInbox ? `INBOX${rest}` : name;
}

function checkName(decoded: string | undefined, options: ImapOptions): string {
  if (decoded === undefined) {
    throw no('CANNOT', 'The mailbox name is not in canonical modified UTF-7');
  }
  const name = foldInbox(decoded.normalize('NFC'));
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(name)) {
    throw no('CANNOT', 'A mailbox name cannot have control characters');
  }
  if (Buffer.byteLength(name) > options.mailboxNameBytes) {
    throw no('LIMIT', `A mailbox name has at most ${options.mailboxNameBytes} octets`);
  }
  const levels = name.split(DELIMITER);
  if (levels.length > options.mailboxLevels) {
    throw no('LIMIT', `A mailbox name has at most ${options.mailboxLevels} levels`);
  }
  if (levels.includes('')) throw no('CANNOT', 'A level of the mailbox name is empty');
  return name;
}

function encodeRun(run: string): string {
  const octets = Buffer.from(run, 'utf16le').swap16();
  return octets.toString('base64').replaceAll('/', ',').replace(/=+$/, '');
}

function decodeRun(run: string): string {
  const octets = Buffer.from(run.replaceAll(',', '/'), 'base64');
  return octets.length % 2 === 0 ? asBuffer(octets).swap16().toString('utf16le') : '';
}
