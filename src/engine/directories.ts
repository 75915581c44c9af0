/** Directories whose names outlive a power cut: a new file or directory is one only when synced. */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Permissions and systems with which a directory cannot be opened to be synced. */
const UNABLE: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EISDIR', 'EINVAL']);

/**
 * Makes it, and its parents, by default for nobody else to enter; durable unless a parent is closed
 * to us. One by one: Node's `recursive` never returns where a directory takes no new ones (/proc).
 */
export function makeDirectory(directory: string, mode = 0o700): void {
  const missing: string[] = [];
  for (let at = resolve(directory); !existsSync(at); at = dirname(at)) missing.push(at);
  for (const one of missing.toReversed()) {
    try {
      mkdirSync(one, mode);
    } catch (error) {
      // Somebody else was quicker.
      if (!existsSync(one)) throw error;
    }
    syncDirectory(dirname(one));
  }
  if (!statSync(directory).isDirectory()) mkdirSync(directory);
}

/** Makes the names in a directory durable, where the system has a way to ask for that. */
export function syncDirectory(directory: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(directory, 'r');
    fsyncSync(descriptor);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && UNABLE.has(error.code))) throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
