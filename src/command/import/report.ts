/** An import, line by line: what was taken over, what has no counterpart, what was unsafe there. */

import type { Io } from '../io.ts';
import { columns, harmless, styled } from '../io.ts';
import type { Imported } from './imported.ts';

/** Text for a terminal. */
export function importReport({ taken, left, unsafe }: Imported, io: Io): string {
  const parts = [styled(io, 'green', `Taken over (${taken.length})`) + '\n'];
  parts.push(table(taken.map((one) => [number(one.line), one.parameter, one.became])));
  parts.push(`\n${styled(io, 'yellow', `No counterpart (${left.length})`)}\n`);
  parts.push(
    table(left.map((one) => [number(one.line), one.parameter, one.why, shortened(one.value)])),
  );
  parts.push(`\n${styled(io, 'red', `Unsafe there (${unsafe.length})`)}\n`);
  for (const { check, severity, seen, line: at } of unsafe) {
    const place = at === undefined ? 'by default' : `line ${at}`;
    parts.push(`${severity ?? check.severity}: ${harmless(seen, 300)} (${place})\n`);
    parts.push(`    ${check.means}\n`);
  }
  return parts.join('');
}

function shortened(value: string): string {
  return value.length > 60 ? `${value.slice(0, 57)}...` : value;
}

function number(at: number | undefined): string {
  return at === undefined ? '' : `${at}`;
}

function table(rows: string[][]): string {
  return columns(rows.map((row) => row.map((cell) => harmless(cell, 160))));
}
