/** Body files that no row names: left by sessions that ended before their mail was accepted. */

import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reading } from './readers/reading.ts';
import { pause } from './readers/reading.ts';
import type { SpoolRoom } from './spool.ts';

/** Files that are looked at before others have their turn. */
const SLICE = 100;

/**
 * Removes them when they were last written more than `oldMs` ago and nobody here uses them.
 * Returns how many went; a file that does not let itself be removed stays for the next time.
 */
export async function removeOrphans(
  room: SpoolRoom,
  reading: Reading,
  oldMs: number,
): Promise<number> {
  let removed = 0;
  const names = await readdir(room.directory);
  for (const [index, name] of names.entries()) {
    if (index % SLICE === SLICE - 1) await pause();
    if (room.isInUse(name) || hasRow(reading, name)) continue;
    const path = join(room.directory, name);
    try {
      const stats = await stat(path);
      // The clock of the file system, not the one that was handed in: both sides must agree.
      if (!stats.isFile() || Date.now() - stats.mtimeMs < oldMs) continue;
      if (room.isInUse(name) || hasRow(reading, name)) continue;
      await unlink(path);
      removed += 1;
    } catch {
      continue;
    }
  }
  return removed;
}

/** Whether a row names a body file. */
export function hasRow(reading: Reading, name: string): boolean {
  return reading.read((sql) => sql.row('SELECT 1 FROM files WHERE name = ?', name) !== undefined);
}
