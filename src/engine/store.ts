/** Opens a store: its place on disk, its database, its schema, its writer. */

import type { Log } from '#base/world.ts';
import { requireWhole } from './check.ts';
import { Connection } from './connection.ts';
import { storeFailure } from './failures.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './schema/migration.ts';
import { storeLimits } from './options.ts';
import type { StoreLimits, StoreOptions } from './options.ts';
import { preparePlace } from './place.ts';
import type { Place } from './place.ts';
import { Reading } from './readers/reading.ts';
import { SqliteStore } from './sqlite.ts';
import type { EngineStore } from './sqlite.ts';

/**
 * Opens the store, makes it when it is missing, migrates it when it is old. Fails permanently
 * with `store-unsafe`, `store-unreadable`, `store-broken` or `schema-newer`, and temporarily when
 * the disk is full or another process holds the lock; each message names the file and the cure.
 */
export async function openStore(
  options: StoreOptions,
  migrations?: readonly Migration[],
): Promise<EngineStore> {
  const limits = storeLimits(options.limits);
  const place = preparePlace(options.directory);
  const reading = openDatabase(place, limits, options.log, migrations);
  const store = new SqliteStore(options, limits, place, reading);
  store.tidy();
  return store;
}

/** The reader is opened before the migrating connection closes, so that the log stays in use. */
function openDatabase(
  place: Place,
  limits: StoreLimits,
  log: Log,
  migrations: readonly Migration[] | undefined,
): Reading {
  let connection: Connection | undefined;
  try {
    connection = Connection.writer(place.database, limits.busyMs);
    requireWhole(connection, limits.checkedBytes);
    const copy = migrate(connection, migrations);
    if (copy !== undefined) log.event('info', 'store-migrated', { copy });
    const reading = new Reading(place.database, limits.busyMs);
    reading.read((sql) => sql.dataVersion());
    return reading;
  } catch (thrown) {
    throw storeFailure(thrown, place.database);
  } finally {
    connection?.close();
  }
}
