/** One server a data directory: two would deliver the same queue twice. */

import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CommandError, EXIT } from '../exit.ts';

export interface Lock {
  release(): void;
}

/**
 * Takes the directory for this process; a CommandError when another one serves it. An empty
 * database held exclusively: the system takes such a lock back whatever ends the process.
 */
export function lockDirectory(directory: string): Lock {
  requirePrivate(directory);
  const file = join(directory, 'serve.lock');
  // Whatever the umask is: SQLite itself would make it readable, or writable, for others.
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const busy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
    if (!busy) throw new CommandError(EXIT.io, `${file}: cannot be locked`, 'Remove it.', error);
    const cause = `another Postern serves ${directory}`;
    throw new CommandError(EXIT.unavailable, cause, 'Stop it, or name another --data.', error);
  }
  return { release: () => database.close() };
}

/** Before the first key is written there: others must not be able to put files in its place. */
function requirePrivate(directory: string): void {
  if ((statSync(directory).mode & 0o022) === 0) return;
  const cause = `others may write to ${directory}`;
  throw new CommandError(EXIT.noPermission, cause, `Run chmod go-w ${directory}.`);
}

const SQLITE_BUSY = 5;
