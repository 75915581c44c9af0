/** Small files that others may read or crash in the middle of: written whole or not at all. */

import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { syncDirectory } from '#engine/directories.ts';
import { isSystemError } from './exit.ts';

/** Writes beside the file, syncs, renames, syncs the name; `mode` holds from the first octet on. */
export function writeWhole(file: string, content: string | Uint8Array, mode = 0o644): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    rmSync(draft, { force: true });
    writeSynced(draft, typeof content === 'string' ? Buffer.from(content) : content, mode);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    // The file that was meant: the system names the other one, or none.
    throw isSystemError(error) ? Object.assign(error, { path: file }) : error;
  }
  syncDirectory(dirname(file));
}

/** Before long work whose result goes there: fails as writing would where nothing can be made. */
export function requirePlace(file: string | undefined): void {
  if (file !== undefined) accessSync(dirname(resolve(file)), constants.W_OK);
}

function writeSynced(file: string, bytes: Uint8Array, mode: number): void {
  const descriptor = openSync(file, 'wx', mode);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
