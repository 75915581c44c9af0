/** Brings a database to the newest schema, one numbered migration after another. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { Failure } from '#base/failure.ts';
import type { Connection } from './connection.ts';
import { broken } from './failures.ts';
import * as migrations from './schema/index.ts';
import type { Migration } from './schema/migration.ts';

/** All migrations that this program knows, in order. */
export const MIGRATIONS: readonly Migration[] = Object.values(migrations).sort(
  (a, b) => a.number - b.number,
);

/**
 * Runs what is missing, each in a transaction of its own. An existing database is copied to
 * `<file>.before-<number>` first. Fails permanently with `schema-newer` when a newer Postern
 * wrote it, and with `store-broken` when it is somebody else's database. Returns the copy's name.
 */
export function migrate(
  connection: Connection,
  steps: readonly Migration[] = MIGRATIONS,
): string | undefined {
  const newest = steps.at(-1)?.number ?? 0;
  const current = version(connection);
  if (current > newest) {
    throw Failure.permanent(
      'schema-newer',
      `${connection.file} has schema ${current}, this Postern knows ${newest}: ` +
        `start the newer Postern that wrote it, or put back the copy it made before migrating`,
    );
  }
  if (current === 0 && hasTables(connection)) {
    throw broken(connection.file, 'a database of another program');
  }
  if (current === newest) return undefined;
  const copy = current === 0 ? undefined : copyDatabase(connection, current + 1);
  for (const step of steps) run(connection, step);
  return copy;
}

/** Another process may have been faster: the version is read again under the lock. */
function run(connection: Connection, step: Migration): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    if (version(connection) < step.number) connection.exec(step.sql);
    connection.exec('COMMIT');
  } catch (thrown) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw thrown;
  }
  if (version(connection) < step.number) {
    throw new Error(`migration ${step.number} (${step.name}) did not set user_version`);
  }
}

function version(connection: Connection): number {
  return connection.row<[number]>('PRAGMA user_version')?.[0] ?? 0;
}

function hasTables(connection: Connection): boolean {
  return connection.row('SELECT 1 FROM sqlite_schema LIMIT 1') !== undefined;
}

/** A whole copy, on disk before the first change, under its last name only when complete. */
function copyDatabase(connection: Connection, number: number): string {
  const copy = `${connection.file}.before-${number}`;
  const partial = `${copy}.partial`;
  rmSync(partial, { force: true });
  closeSync(openSync(partial, 'wx', 0o600));
  connection.run('VACUUM INTO ?', partial);
  const descriptor = openSync(partial, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, copy);
  return copy;
}
