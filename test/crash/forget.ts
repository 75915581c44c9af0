/** The strictest disk that POSIX permits: whatever was not synced is gone, names included. */

import { closeSync, existsSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { truncateSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Call } from './strace.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a directory held when the record began: that is taken as synced. */
export function namesIn(data: string): ReadonlySet<string> {
  const names = readdirSync(data, { recursive: true, encoding: 'utf8' });
  return new Set(names.map((name) => path.join(data, name)));
}

/**
 * Undoes on the disk of a dead server what its calls did not make durable: new names whose
 * directory was not synced, octets of new files and of SQLite's log that were not. Octets of the
 * database itself stay: SQLite never relies on them before they are synced, and what they
 * replaced is not known. Returns what it took away.
 */
export function forget(
  data: string,
  before: ReadonlySet<string>,
  calls: readonly Call[],
): string[] {
  const unsynced = new Map<string, Range[]>();
  const sizes = new Map<string, number>();
  const names = new Set<string>();
  for (const call of calls) {
    const { name, path: file, result } = call;
    if (!file.startsWith(data) || result < 0) continue;
    const made = newName(call);
    if (made !== undefined && !before.has(made)) names.add(made);
    if (name === 'rename') names.delete(file);
    if (name === 'fsync' || name === 'fdatasync') {
      unsynced.delete(file);
      for (const one of names) if (path.dirname(one) === file) names.delete(one);
    }
    const range = rangeOf(call, sizes);
    if (range !== undefined) unsynced.set(file, [...(unsynced.get(file) ?? []), range]);
  }
  const lost: string[] = [];
  for (const [file, ranges] of unsynced) {
    // SQLite makes the -shm file anew at each start.
    if (names.has(file) || file.endsWith('-shm') || !existsSync(file)) continue;
    if (file.endsWith('-wal')) wipe(file, ranges);
    else if (!before.has(file)) truncateSync(file, Math.min(...ranges.map(({ from }) => from)));
    else continue;
    lost.push(`${ranges.length} writes to ${path.basename(file)}`);
  }
  for (const file of names) {
    if (!existsSync(file)) continue;
    rmSync(file, { recursive: true });
    lost.push(`the name ${path.basename(file)}`);
  }
  return lost;
}

/** The name that a call made. */
function newName({ name, path: file, text }: Call): string | undefined {
  if (name === 'openat') return text.includes('O_CREAT') ? file : undefined;
  if (name === 'rename') return /, "([^"]*)"$/.exec(text)?.[1];
  return name === 'mkdir' ? file : undefined;
}

/** Which octets a call wrote. */
function rangeOf(
  { name, path: file, text, result }: Call,
  sizes: Map<string, number>,
): Range | undefined {
  if (name === 'pwrite64') {
    const from = Number(/, (\d+)$/.exec(text)?.[1]);
    return { from, to: from + result };
  }
  if (name !== 'write' && name !== 'writev') return undefined;
  const from = sizes.get(file) ?? 0;
  sizes.set(file, from + result);
  return { from, to: from + result };
}

function wipe(file: string, ranges: readonly Range[]): void {
  const size = statSync(file).size;
  const descriptor = openSync(file, 'r+');
  for (const { from, to } of ranges) {
    const octets = Buffer.alloc(Math.max(0, Math.min(to, size) - from));
    if (octets.length > 0) writeSync(descriptor, octets, 0, octets.length, from);
  }
  closeSync(descriptor);
}
