/** The store's place on disk: its directory and files, with modes that keep others out. */

import { closeSync, lstatSync, openSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '#base/failure.ts';
import { makeDirectory, syncDirectory } from './directories.ts';
import { fileFailure } from './failures.ts';

export interface Place {
  readonly directory: string;
  readonly database: string;
  readonly spool: string;
}

/**
 * Makes what is missing. Fails permanently with `store-unsafe` when others may write there or
 * when something else (a link, a pipe) stands where a file of ours should be.
 */
export function preparePlace(directory: string): Place {
  const place = {
    directory,
    database: join(directory, 'postern.db'),
    spool: join(directory, 'spool'),
  };
  try {
    makeDirectory(directory);
    requirePrivate(`${directory}/.`, 'directory');
    makeDirectory(place.spool);
    requirePrivate(place.spool, 'directory');
    createFile(place.database);
    requirePrivate(place.database, 'file');
    syncDirectory(directory);
  } catch (thrown) {
    throw unusable(thrown, directory);
  }
  return place;
}

/** The -wal and -shm files get the mode of this one, whatever the umask is. */
function createFile(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) return;
  closeSync(openSync(file, 'wx', 0o600));
}

function requirePrivate(path: string, kind: 'file' | 'directory'): void {
  const stats = lstatSync(path);
  if (!isKind(stats, kind)) {
    throw Failure.permanent('store-unsafe', `${path} is not a ${kind}: remove it`);
  }
  if ((stats.mode & 0o022) !== 0) {
    throw Failure.permanent('store-unsafe', `others may write to ${path}: run chmod go-w ${path}`);
  }
}

function isKind(stats: Stats, kind: 'file' | 'directory'): boolean {
  return kind === 'file' ? stats.isFile() : stats.isDirectory();
}

function unusable(thrown: unknown, directory: string): Failure {
  const failure = fileFailure(thrown, directory);
  if (failure.kind === 'permanent' || failure.code === 'disk-full') return failure;
  return Failure.permanent(
    'store-unreadable',
    `the store ${directory} cannot be used (${failure.message}): check owner and mode`,
    thrown,
  );
}
