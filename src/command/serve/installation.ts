/** The installation's own secret: salts made up for unknown logins must not change (RFC 5802 9). */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '#base/world.ts';
import { CommandError, EXIT, isSystemError } from '../exit.ts';
import { writeWhole } from '../files.ts';

const OCTETS = 32;

/** Reads it from the data directory; made at the first start, mode 0600. */
export function installationKey(directory: string, random: Random): Uint8Array {
  const file = join(directory, 'installation.key');
  try {
    const key = readFileSync(file);
    if (key.length === OCTETS) return key;
    const cause = `${file} is damaged: it has ${key.length} octets instead of ${OCTETS}`;
    throw new CommandError(EXIT.data, cause, 'Remove it: a new one is made.');
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
  }
  const fresh = random.bytes(OCTETS);
  writeWhole(file, fresh, 0o600);
  return fresh;
}
