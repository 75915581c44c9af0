/** Whether a database file is whole, looked at before anything is served from it. */

import { statSync } from 'node:fs';
import { Failure } from '#base/failure.ts';
import type { Connection } from './connection.ts';
import { broken } from './failures.ts';

/**
 * Fails permanently with `store-broken` when the file is shorter than it says, and, for
 * databases up to `checkedBytes`, when any page is damaged.
 */
export function requireWhole(connection: Connection, checkedBytes: number): void {
  connection.run('PRAGMA wal_checkpoint(PASSIVE)');
  const log = connection.row<[number, number, number]>('PRAGMA wal_checkpoint(NOOP)');
  const pages = connection.row<[number]>('PRAGMA page_count')?.[0] ?? 0;
  const pageBytes = connection.row<[number]>('PRAGMA page_size')?.[0] ?? 0;
  const bytes = statSync(connection.file).size;
  const isLogDone = log === undefined || log[1] <= 0 || log[1] === log[2];
  if (isLogDone && bytes < pages * pageBytes) {
    throw broken(connection.file, `${bytes} octets where ${pages * pageBytes} should be`);
  }
  if (bytes <= checkedBytes) checkPages(connection);
}

function checkPages(connection: Connection): void {
  const found = connection.row<[string]>('PRAGMA quick_check(1)')?.[0];
  if (found === 'ok') return;
  throw found === undefined
    ? Failure.temporary('disk-error', `${connection.file} could not be checked`)
    : broken(connection.file, found);
}
