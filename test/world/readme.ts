/** What the README says that the server announces, for tests that hold it against a running one. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../laws/tree.ts';

/** The words of a row of the table under "What is there", without what stands behind a semicolon. */
export function announcedByReadme(row: 'EHLO' | 'CAPABILITY' | 'CAPA' | 'SASL'): string[] {
  const text = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const cell = new RegExp(String.raw`^\| ${row} \| ([^|;]+)`, 'm').exec(text)?.[1];
  if (cell === undefined) throw new Error(`the README has no row ${row}`);
  return cell.trim().split(', ');
}
