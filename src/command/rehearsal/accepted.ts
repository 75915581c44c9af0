/** Which configuration was accepted last: its digest, in the data directory. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../configuration/settings.ts';
import { isSystemError } from '../exit.ts';
import { writeWhole } from '../files.ts';

const FILE = 'accepted-configuration';
/** What changes nothing that strangers see. */
const UNSEEN: ReadonlySet<string> = new Set(['data_directory', 'log_level', 'log_format']);

/** The same for the same values, in whatever order and words the file has them. */
export function digestOf(settings: Settings): string {
  const seen = Object.entries(settings)
    .filter(([name]) => !UNSEEN.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(seen, plain)).digest('hex');
}

/** Whether these settings are those accepted last. */
export function wasAccepted(settings: Settings): boolean {
  try {
    return readFileSync(fileIn(settings), 'latin1').trim() === digestOf(settings);
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Remembers them, until others are accepted. */
export function accept(settings: Settings): void {
  writeWhole(fileIn(settings), `${digestOf(settings)}\n`);
}

function fileIn({ data_directory: directory }: Settings): string {
  return join(directory, FILE);
}

function plain(_name: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}
