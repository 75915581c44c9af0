/** What SQLite and the file system throw, as failures that name the cause and the cure. */

import { Failure } from '#base/failure.ts';

/** Primary result codes of SQLite that say something of the file or the disk, not of the row. */
const BUSY = 5;
const LOCKED = 6;
const NO_MEMORY = 7;
const READ_ONLY = 8;
const INPUT_OUTPUT = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const PROTOCOL = 15;
const NOT_A_DATABASE = 26;

const MEDIUM: ReadonlySet<number> = new Set([
  BUSY,
  LOCKED,
  NO_MEMORY,
  READ_ONLY,
  INPUT_OUTPUT,
  CORRUPT,
  FULL,
  CANNOT_OPEN,
  PROTOCOL,
  NOT_A_DATABASE,
]);

/** SQLite's primary result code, or undefined when SQLite did not throw this. */
export function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return undefined;
  return typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : undefined;
}

/** Whether the connection cannot be trusted any more: disk, lock or file, not one bad row. */
export function isMediumError(thrown: unknown): boolean {
  const code = sqliteCode(thrown);
  return code !== undefined && MEDIUM.has(code);
}

/** A failure while writing: temporary whatever it is, so that mail stays with its sender. */
export function writeFailure(thrown: unknown, file: string): Failure {
  const failure = storeFailure(thrown, file);
  if (failure.kind === 'temporary' || !isMediumError(thrown)) return failure;
  return Failure.temporary(failure.code, failure.message, thrown);
}

/** Anything thrown while `file` was read or opened, as a Failure. */
export function storeFailure(thrown: unknown, file: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (message.includes('uid_exhausted')) {
    return Failure.permanent('uid-exhausted', 'the mailbox has used all UIDs', thrown);
  }
  switch (sqliteCode(thrown)) {
    case BUSY:
    case LOCKED:
    case PROTOCOL:
      return Failure.temporary('store-busy', `${file} is locked by another process`, thrown);
    case FULL:
      return Failure.temporary('disk-full', `no room left for ${file}: free disk space`, thrown);
    case INPUT_OUTPUT:
    case NO_MEMORY:
    case READ_ONLY:
      return Failure.temporary('disk-error', `${file}: ${message}`, thrown);
    case CANNOT_OPEN:
      return Failure.permanent(
        'store-unreadable',
        `${file} cannot be opened: check its owner and mode`,
        thrown,
      );
    case CORRUPT:
    case NOT_A_DATABASE:
      return broken(file, message, thrown);
    default:
      return fileFailure(thrown, file);
  }
}

/** The failure for a database file that is not one, or is damaged. */
export function broken(file: string, what: string, cause?: unknown): Failure {
  return Failure.permanent(
    'store-broken',
    `${file} is damaged or no database (${what.replace(/\s+/g, ' ')}): stop Postern, move the file away together ` +
      `with its -wal and -shm files, and put the last backup in its place`,
    cause,
  );
}

/** A failure of the file system. */
export function fileFailure(thrown: unknown, file: string): Failure {
  if (thrown instanceof Failure) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return Failure.temporary('disk-full', `no room left for ${file}: free disk space`, thrown);
  }
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) {
    return Failure.temporary('disk-error', `${file}: ${code}`, thrown);
  }
  return Failure.from(thrown);
}

/** A Failure as it crosses from the writer's thread. */
export interface FailureData {
  readonly kind: Failure['kind'];
  readonly code: string;
  readonly message: string;
}

export function failureData(failure: Failure): FailureData {
  return { kind: failure.kind, code: failure.code, message: failure.message };
}

export function failureFrom(data: FailureData): Failure {
  return new Failure(data.kind, data.code, data.message);
}
