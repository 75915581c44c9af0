/** Access tables on disk: read at the start, and again when their file changes. */

import { readFileSync, statSync } from 'node:fs';
import { parseUtf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Clock, Log } from '#base/world.ts';
import { parseAccessTable, parseTableName } from '#policy/access/parse.ts';
import type { TableKind } from '#policy/access/parse.ts';
import type { AccessTable } from '#policy/access/table.ts';
import type { Tools } from '#policy/checks/tools.ts';
import { restrictions } from '../configuration/contradictions.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT, explain } from '../exit.ts';

/** A change is seen at the first look-up this long after the last one that looked. */
const LOOK_MS = 1_000;
const OCTETS = 16_777_216;

/**
 * Opens tables by their name in a restriction; what is wrong with one is told as words that
 * follow "which". Later, a file that went bad keeps the table as it was, with an error in the log.
 */
export function accessTables(clock: Pick<Clock, 'elapsed'>, log: Log): Tools['table'] {
  return (name) => {
    const parsed = parseTableName(name);
    if (typeof parsed === 'string') return parsed;
    const { path, kind } = parsed;
    const first = readTable(path, kind);
    if (typeof first === 'string') return first;
    let table = first;
    let stamp = stampOf(path);
    let lookedAt = clock.elapsed();
    return () => {
      if (clock.elapsed() - lookedAt < LOOK_MS) return table;
      lookedAt = clock.elapsed();
      const now = stampOf(path);
      if (now === stamp) return table;
      stamp = now;
      const again = readTable(path, kind);
      if (typeof again !== 'string') table = again;
      else log.event('error', 'access-table-kept', { path, why: again });
      return table;
    };
  };
}

/** Fails at the start, not at the first connection, when a table that a list names is missing. */
export function requireTables(settings: Settings): void {
  const [first] = restrictions(settings, { table: readableTable });
  if (first === undefined) return;
  throw new CommandError(EXIT.configuration, `${first.name}: ${first.cause}`, first.cure);
}

/** The same for who only wants to know what is wrong. */
export function readableTable(name: string): (() => AccessTable) | string {
  const parsed = parseTableName(name);
  if (typeof parsed === 'string') return parsed;
  const table = readTable(parsed.path, parsed.kind);
  return typeof table === 'string' ? table : () => table;
}

/** A table, or what is wrong with its file. */
function readTable(path: string, kind: TableKind): AccessTable | string {
  let text: string | undefined;
  try {
    const bytes = readFileSync(path);
    if (bytes.length > OCTETS) return `names a file larger than ${OCTETS} octets`;
    text = parseUtf8(bytes);
  } catch (thrown) {
    const known = explain(thrown);
    return `names a file that cannot be read: ${known?.message ?? Failure.from(thrown).message}`;
  }
  if (text === undefined) return 'names a file that is not UTF-8 text';
  const parsed = parseAccessTable(text, kind);
  if (parsed.kind === 'table') return parsed.table;
  const [first, ...more] = parsed.errors;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return `names ${path}, which in line ${first?.line ?? 0} ${first?.why ?? ''}${rest}`;
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'gone' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}
